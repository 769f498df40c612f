"""The playground: runs that are asked live, from a page in a browser."""
