# texts (mails)
