"""`make demo`: the whole product on one machine, with a stand-in for OpenAI and three demo websites."""
