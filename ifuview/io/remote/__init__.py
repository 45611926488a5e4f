"""Files that lie elsewhere: at https://, ssh://, s3:// and the other protocols of fsspec, and what comes in at "-"."""
