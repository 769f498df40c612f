"""A server that stands in for W&B's: it takes what W&B's own programs upload over HTTP, and keeps it."""

import gzip
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wandb_schema import faults, faults_of_stream, faults_of_view, operation_of

KEY = "0123456789abcdef" * 2 + "01234567"
PAGE = {"endCursor": None, "hasNextPage": False}
ME = {"viewer": {"id": "me", "entity": "us", "username": "me", "flags": "{}", "teams": {"edges": []}}}
PROJECT = {"id": "P", "name": "attnlab", "entityName": "us", "createdAt": "2026-01-01T00:00:00", "isBenchmark": False}
NO_MATTER = {  # operations of whose answer nothing is read but that there is a project, or nothing at all
    "ProjectInternalId", "OrganizationCoreWeaveOrganizationID", "NotifyScriptableRunAlert",
}  # fmt: skip
Answer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass
class Run:
    """What was uploaded of a run."""

    told: dict[str, Any] = field(default_factory=dict)  #: group, tags, config, …, as they were given last
    streams: dict[str, dict[int, str]] = field(default_factory=dict)  #: lines of each file that grows
    files: dict[str, bytes] = field(default_factory=dict)
    ended: int | None = None  #: the exit code

    @property
    def config(self) -> dict[str, Any]:
        return {key: item["value"] for key, item in json.loads(self.told["config"]).items()}

    def lines(self, name: str) -> list[str]:
        return [line for _, line in sorted(self.streams.get(name, {}).items())]

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines(name)]

    def history(self, key: str) -> list[Any]:
        return [row[key] for row in self.rows("wandb-history.jsonl") if key in row]

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = self.rows("wandb-summary.json")[-1]
        return found


@dataclass
class Artifact:
    """One version of an artifact."""

    kind: str
    name: str
    digest: str
    maker: str | None  #: the run
    files: dict[str, bytes] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    committed: bool = False
    users: list[str] = field(default_factory=list)  #: runs


class StandIn(ThreadingHTTPServer):
    """All that was asked and uploaded.

    Args:
        answers: by the name of an operation, beside those that uploads take.
    """

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.runs: dict[str, Run] = {}
        self.artifacts: list[Artifact] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[str] = []  #: requests that W&B's server would refuse
        self.undescribed: set[str] = set()  #: types of what was sent that the client ships no description of
        self.lock = threading.Lock()
        self.views: list[dict[str, Any]] = []  #: reports and workspaces, as they were sent last
        self.answers: dict[str, Answer] = {
            "Viewer": ME,
            "GetViewer": ME,
            "GetDefaultEntity": ME,
            "GetProjects": {"models": {"edges": [{"node": {"__typename": "Project", **PROJECT, "user": None}}],
                                       "pageInfo": {"__typename": "PageInfo", **PAGE}}},
            "Runs": self.found,
            "upsertView": self.view,
            "UpsertView2": self.view,
            "ArtifactType": self.type_of,
            "RunResumeStatus": {"model": None},
            "UpsertBucket": self.upsert,
            "CreateRunFiles": self.run_files,
            "CreateArtifact": self.create,
            "CreateArtifactManifest": self.manifest,
            "CreateArtifactFiles": self.artifact_files,
            "CommitArtifact": self.commit,
            "UseArtifact": self.use,
            "ServerFeaturesQuery": {"serverInfo": {"features": []}},
            **(answers or {}),
        }  # fmt: skip

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def environment(self) -> dict[str, str]:
        """What brings W&B's programs here."""
        return {"WANDB_MODE": "online", "WANDB_API_KEY": KEY, "WANDB_ENTITY": "us", "WANDB_BASE_URL": self.address}

    def of(self, kind: str) -> list[Artifact]:
        return [artifact for artifact in self.artifacts if artifact.kind == kind]

    def ask(self, query: str, variables: dict[str, Any]) -> Mapping[str, Any]:
        """The answer to an operation; that there is a project to one that is not known."""
        name = operation_of(query).name
        assert name is not None
        self.asked.append((name.value, variables))
        self.faults += faults(query, variables, self.undescribed)
        if name.value not in self.answers and name.value not in NO_MATTER:
            self.faults.append(f"{name.value}: nobody knows what to answer")
        answer = self.answers.get(name.value, {"project": {"id": "7", "internalId": "7"}})
        return answer(variables) if callable(answer) else answer

    def upsert(self, told: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.setdefault(told["name"], Run())
        run.told |= {key: value for key, value in told.items() if value is not None}
        project = {"id": "P", "name": told["project"], "entity": {"id": "E", "name": "us"}}
        bucket = {
            "id": told["name"], "name": told["name"], "displayName": run.told.get("displayName", ""), "description": "",
            "config": "{}", "sweepName": None, "project": project, "historyLineCount": 0,
        }  # fmt: skip
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def found(self, told: dict[str, Any]) -> dict[str, Any]:
        """The runs that a filter lets through, whole, in the order in which they came."""
        wanted = json.loads(told.get("filters") or "{}")
        assert set(wanted) <= {"group", "name"}, wanted
        edges = []
        for name, run in self.runs.items():
            fits = wanted.get("group", run.told.get("groupName")) == run.told.get("groupName")
            if fits and ("name" not in wanted or name in wanted["name"]["$in"]):
                node = {
                    "projectId": "7", "id": name, "name": name, "displayName": run.told.get("displayName"),
                    "tags": run.told.get("tags") or [], "sweepName": None, "state": "finished",
                    "group": run.told.get("groupName"), "jobType": run.told.get("jobType"), "commit": None,
                    "readOnly": False, "createdAt": PROJECT["createdAt"], "heartbeatAt": PROJECT["createdAt"],
                    "description": "", "notes": "", "historyLineCount": 1, "historyKeys": {},
                    "user": {"name": "me", "username": "me"}, "config": run.told.get("config", "{}"),
                    "systemMetrics": "{}", "summaryMetrics": json.dumps(run.summary),
                }  # fmt: skip
                edges.append({"node": node, "cursor": name})
        runs = {"totalCount": len(edges), "edges": edges, "pageInfo": PAGE}
        return {"project": {"internalId": "7", "runCount": len(edges), "readOnly": False, "runs": runs}}

    def view(self, told: dict[str, Any]) -> dict[str, Any]:
        self.views.append(told)
        self.faults += faults_of_view(told)
        made = {
            "id": "Vmlldzox", "type": told["type"], "name": told["name"], "displayName": told["displayName"],
            "description": told["description"], "spec": told["spec"], "updatedAt": None,
            "project": {"id": "7", "name": told["projectName"], "entityName": told["entityName"]},
        }  # fmt: skip
        return {"upsertView": {"inserted": True, "view": made}}

    def type_of(self, told: dict[str, Any]) -> dict[str, Any]:
        there = next((a for a in self.artifacts if told["name"].partition(":")[0] == a.name), None)
        return {"project": {"artifact": there and {"artifactType": {"name": there.kind}}}}

    def stream(self, name: str, told: dict[str, Any]) -> None:
        run = self.runs[name]
        self.faults += faults_of_stream(told)
        for file, part in told.get("files", {}).items():
            lines = run.streams.setdefault(file, {})
            lines.update(enumerate(part["content"], part["offset"]))
        if told.get("complete"):
            run.ended = told["exitcode"]

    def run_files(self, told: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "uploadUrl": f"{self.address}/runs/{told['run']}/{name}"} for name in told["files"]]
        return {"createRunFiles": {"runID": told["run"], "uploadHeaders": [], "files": files}}

    def create(self, told: dict[str, Any]) -> dict[str, Any]:
        """A version with the content of one that is there is that one, as it is at W&B's."""
        given = told["input"]
        kind, name, digest = given["artifactTypeName"], given["artifactCollectionName"], given["digest"]
        there = [a for a in self.artifacts if (a.kind, a.name, a.digest) == (kind, name, digest)]
        if not there:
            self.artifacts.append(Artifact(kind, name, digest, given["runName"]))
        made = there[0] if there else self.artifacts[-1]
        made.maker = made.maker or given["runName"]  # who uses a version may upload it before who made it
        state = "COMMITTED" if made.committed else "PENDING"
        made_id = str(self.artifacts.index(made))
        return {
            "createArtifact": {
                "artifact": {"id": made_id, "state": state, "artifactSequence": {"latestArtifact": None}}
            }
        }

    def manifest(self, told: dict[str, Any]) -> dict[str, Any]:
        file = {"id": "F", "uploadUrl": f"{self.address}/manifests/{told['artifactID']}", "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": f"M{told['artifactID']}", "file": file}}}

    def artifact_files(self, told: dict[str, Any]) -> dict[str, Any]:
        edges = []
        for file in told["input"]["artifactFiles"]:
            url = f"{self.address}/artifacts/{file['artifactID']}/{file['name']}"
            edges.append({"node": {"storagePath": file["name"], "uploadUrl": url, "uploadHeaders": [],
                                   "uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]}}})  # fmt: skip
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def commit(self, told: dict[str, Any]) -> dict[str, Any]:
        made = self.artifacts[int(told["artifactID"])]
        made.committed = True
        return {"commitArtifact": {"artifact": {"id": told["artifactID"], "digest": made.digest}}}

    def use(self, told: dict[str, Any]) -> dict[str, Any]:
        given = told["input"]
        self.artifacts[int(given["artifactID"])].users.append(given["runName"])
        return {"useArtifact": {"artifact": {"id": given["artifactID"]}}}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the client closes is no fault; another one is."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.faults.append(repr(error))

    def put(self, path: str, content: bytes) -> None:
        kind, number, name = [*path.lstrip("/").split("/", 2), ""][:3]
        if kind == "runs":
            self.runs[number].files[name] = content
        elif kind == "artifacts":
            self.artifacts[int(number)].files[name] = content
        else:
            self.artifacts[int(number)].manifest = json.loads(content)["contents"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def do_PUT(self) -> None:
        with self.server.lock:
            self.server.put(self.path, self.sent())
        self.answered({})

    def do_POST(self) -> None:
        sent = self.sent()
        with self.server.lock:
            if self.path == "/graphql":
                asked = json.loads(sent)
                self.answered({"data": self.server.ask(asked["query"], asked.get("variables") or {})})
                return
            if self.path.endswith("/file_stream"):
                self.server.stream(self.path.split("/")[-2], json.loads(sent))
        self.answered({})  # to the client's own measurements, too

    def sent(self) -> bytes:
        length = self.headers.get("content-length")
        content = b"".join(self.chunks()) if length is None else self.rfile.read(int(length))
        return gzip.decompress(content) if self.headers.get("content-encoding") == "gzip" else content

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answered(self, answer: Mapping[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@contextmanager
def standing_in(answers: Mapping[str, Answer] | None = None) -> Iterator[StandIn]:
    """A server that answers in the background."""
    server = StandIn(answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
