"""Worlds and requests made to part two stores: look-alike ids, number forms, instants, writes."""
