# texts (words)
product = Home-care duty
