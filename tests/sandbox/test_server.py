"""The server of the doubles keeps connections and passes requests on as they came."""

import threading

import pytest
import requests
from werkzeug.wrappers import Response

from sandbox.double import Double, json_response
from sandbox.server import serve


class Echo(Double):
    """Tell what arrived."""

    def handle(self, request):
        match request.path:
            case "/stream":
                return Response(iter([b"one", b"", b"two"]))
            case "/empty":
                return Response(status=204)
            case "/bug":
                raise RuntimeError("a bug of the double")
        environ = request.environ
        return json_response(
            {
                "method": request.method,
                "uri": environ["REQUEST_URI"],
                "body": request.get_data(as_text=True),
                "accept": request.headers.get("Accept"),
                "port": environ["REMOTE_PORT"],
            }
        )


@pytest.fixture
def url():
    with serve(Echo()) as server:
        yield server.url


def test_a_connection_stays_open_between_calls(url):
    with requests.Session() as session:
        ports = {session.post(url, data="x" * size).json()["port"] for size in (0, 10, 100_000)}
    assert len(ports) == 1


def test_the_path_and_the_query_arrive_as_they_were_sent(url):
    assert requests.get(url + "/a%2Fb/?q=1&q=%C3%BC", timeout=5).json()["uri"] == "/a%2Fb/?q=1&q=%C3%BC"


def test_a_chunked_body_arrives_whole(url):
    with requests.Session() as session:
        assert session.post(url, data=iter([b"ab", b"cd"])).json()["body"] == "abcd"
        assert session.post(url, data=b"ef").json()["body"] == "ef"


def test_an_answer_without_length_is_streamed(url):
    answer = requests.get(url + "/stream", timeout=5)
    assert (answer.text, answer.headers["Transfer-Encoding"]) == ("onetwo", "chunked")


def test_answers_without_a_body_leave_the_connection_usable(url):
    with requests.Session() as session:
        assert session.get(url + "/empty").status_code == 204
        assert session.head(url).status_code == 200
        assert session.get(url).json()["method"] == "GET"


def test_a_bug_of_the_double_is_a_500(url, capsys):
    assert requests.get(url + "/bug", timeout=5).status_code == 500
    assert "a bug of the double" in capsys.readouterr().err


def test_many_clients_are_served_at_once(url):
    barrier, statuses = threading.Barrier(20), []

    def call():
        barrier.wait()
        statuses.append(requests.get(url, timeout=5).status_code)

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20


def test_a_closed_server_answers_nobody_and_frees_its_port():
    with requests.Session() as session:
        with serve(Echo()) as server:
            session.get(server.url)
        with pytest.raises(requests.ConnectionError):
            session.get(server.url)
        with serve(Echo(), port=server.port) as again:
            assert session.get(again.url).ok
