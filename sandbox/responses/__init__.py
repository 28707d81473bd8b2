"""`/v1/responses`: the sandbox's model, streamed and whole.

asked.py      what a request asks, and what OpenAI refuses in it     endpoint.py        the door: key, model, journal, stream
reply.py      which words of the visitor bring which reply           stream_faults.py   what a test can do to a stream
events.py     a reply as the events of a stream, in their order      leaving.py         who has left is noticed, and costs nothing
catalogue.py  models and vector stores, catalogue_api.py their endpoints
"""
