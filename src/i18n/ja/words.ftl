# texts (words)
product = 在宅当番
