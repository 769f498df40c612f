"""What stands beside this file can be imported by the tests of the folders below: pytest puts it on the path."""
