"""Papers (文书) of a sale and of a case's money, in Chinese, as PDF and HTML with content hashes."""
