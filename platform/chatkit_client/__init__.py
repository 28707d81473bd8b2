"""The only code that speaks to OpenAI: what to send, how to read the answer, the errors, the transport."""
