"""Words and tools without any business in them: time, ids, money, errors, pages, settings, logs, retries."""
