"""Cases, assets, seizures, reference prices (参考价) and service of documents (送达)."""
