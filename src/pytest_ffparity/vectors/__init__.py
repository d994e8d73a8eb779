"""Vector files and parity matrices: their structs, and the readers that check them."""
