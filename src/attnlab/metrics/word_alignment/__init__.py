"""Word alignments: read off attention, of two directions made one, scored."""
