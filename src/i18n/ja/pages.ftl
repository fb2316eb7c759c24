# texts (pages)
