from aftersend.recipient_hash import ForgottenRecipients, keyed_hash


def test_hash_is_hmac_sha256_with_the_version_of_the_key():
    # printf %s reader@mail.example | openssl dgst -sha256 -hmac key
    assert (
        keyed_hash("reader@mail.example", "key") == "1:e8484f2555bd39c01a11ffdcdfe6d5b098e6f388b5c34dfc00362cb4703842c4"
    )


def test_hash_does_not_depend_on_the_spelling():
    assert keyed_hash("Reader@Mail.Example", "key") == keyed_hash("reader@mail.example", "key")


def test_hash_depends_on_recipient_and_key():
    hashes = {keyed_hash(recipient, key) for recipient in ("a@mail.example", "b@mail.example") for key in ("1", "2")}
    assert len(hashes) == 4


def test_forgotten_recipient_is_recognized_in_every_spelling():
    forgotten = ForgottenRecipients(frozenset({keyed_hash("reader@mail.example", "key")}), lambda: "key")
    assert "Reader@mail.example" in forgotten
    assert "other@mail.example" not in forgotten


def test_key_is_not_read_while_nobody_is_forgotten():
    def refuse() -> str:
        raise AssertionError

    assert "reader@mail.example" not in ForgottenRecipients(frozenset(), refuse)
