"""Models of the library ``transformers``, from local folders."""
