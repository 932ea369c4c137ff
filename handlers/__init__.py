"""The handlers of the operations in spec/: one module per tag, one function per operationId."""
