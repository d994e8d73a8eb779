"""Asks the Admin service about approvals of sensitive flags."""
