"""What others' tools find on the pages: `make audit` runs it, and needs npm, Java and chromium."""
