"""What a cut turn's input is taken for: at least what OpenAI would have counted of a text, and no picture's bytes."""

from chat_server.serving.input_tokens import tokens_of_input


def test_texts_count_by_their_length_wherever_they_stand():
    items = [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "x" * 300}, {"type": "input_text", "text": "x" * 30}],
        },
        {"role": "assistant", "content": "x" * 60},
    ]

    assert tokens_of_input("x" * 90, items) == 30 + 100 + 10 + 20


def test_a_call_and_its_answer_count_with_their_names():
    call = {"type": "function_call", "name": "weather", "arguments": "x" * 3_000, "call_id": "c"}

    assert tokens_of_input(None, [call]) > 1_000


def test_a_picture_counts_as_a_picture_and_a_document_with_its_size():
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 1_000_000}
    text = {"type": "input_file", "file_data": "data:text/plain;base64," + "A" * 40_000}
    document = {"type": "input_file", "file_data": "data:application/pdf;base64," + "A" * 400_000}

    assert tokens_of_input("", [{"role": "user", "content": [picture]}]) == 1_500
    assert 10_000 <= tokens_of_input("", [{"role": "user", "content": [text]}]) < 10_100
    assert 10_000 <= tokens_of_input("", [{"role": "user", "content": [document]}]) < 10_100
