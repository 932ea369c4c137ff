"""URLs of the site's own pages."""

from todo.web import urls


def test_other_parameters_stay() -> None:
    assert urls.without("/list?q=a+b&changed=3&edit=4", "edit") == "/list?q=a+b"
    assert urls.with_edit("/list?tag=x&changed=3", 7) == "/list?tag=x&edit=7#todo-7"
