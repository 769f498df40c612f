"""The viewer: runs' attention in one HTML file that needs no network, to be looked at item by item."""
