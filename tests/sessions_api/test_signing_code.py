"""The ready code for signing: what each language makes is a token that counts, and page and documents say the same."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from django.urls import reverse

from gateway.identity_tokens import Identity, verify_identity
from sessions_api.signing_code import PLACEHOLDER, signing_code
from tests.conftest import missing
from tests.gateway.signing import Signer
from tests.tenants.cast import register

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "signed-visitors.md").read_text()
TENANT = "tn_" + "A" * 28
SECRET = "an umlaut ä and a secret of more than thirty-two bytes"
# On every machine that builds this product; of the others a skip says that they were not run.
REQUIRED = {"python", "node"}
CODE = {code.name: code for code in signing_code()}

# Around the code: what prints a token for the user 'user "42" ü' with the claim plan.
USER, PLAN = 'user "42" ü', "gold"
ENDS = {
    "python": "\nimport sys\nprint(identity_token(sys.argv[1], plan=sys.argv[2]))\n",
    "node": "\nconsole.log(identityToken(process.argv[2], { plan: process.argv[3] }));\n",
    "php": "\necho identity_token($argv[1], ['plan' => $argv[2]]);\n",
    "ruby": "\nputs identity_token(ARGV[0], plan: ARGV[1])\n",
}
MAINS = {
    "go": (
        "main.go",
        'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n'
        '\ttoken, err := IdentityToken(os.Args[1], map[string]any{"plan": os.Args[2]})\n'
        "\tif err != nil {\n\t\tpanic(err)\n\t}\n\tfmt.Println(token)\n}\n",
    ),
    "java": (
        "Main.java",
        "import java.util.Map;\n\npublic class Main {\n    public static void main(String[] args) throws Exception {\n"
        '        System.out.println(IdentityToken.of(args[0], Map.of("plan", args[1])));\n    }\n}\n',
    ),
    "csharp": (
        "Program.cs",
        "using System;\nusing System.Collections.Generic;\n\n"
        'Console.WriteLine(IdentityToken.Of(args[0], new Dictionary<string, object> { ["plan"] = args[1] }));\n',
    ),
}
PROJECT = (
    '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net8.0</TargetFramework>'
    "<Nullable>enable</Nullable></PropertyGroup></Project>"
)
PROGRAMS = {
    "python": "python3",
    "node": "node",
    "php": "php",
    "ruby": "ruby",
    "go": "go",
    "java": "javac",
    "csharp": "dotnet",
}


def made_by(name: str, folder: Path) -> str:
    text = CODE[name].for_tenant(TENANT)
    arguments = [USER, PLAN]
    if name in ENDS:
        file = folder / f"code.{'cjs' if name == 'node' else name}"
        file.write_text(text + ENDS[name])
        return run([PROGRAMS[name], str(file), *arguments], folder)
    file_name, main = MAINS[name]
    (folder / file_name).write_text(main)
    if name == "go":
        (folder / "token.go").write_text(text)
        return run(["go", "run", "main.go", "token.go", *arguments], folder)
    if name == "java":
        (folder / "IdentityToken.java").write_text(text)
        run(["javac", "-encoding", "UTF-8", "-Xlint:all", "-Werror", "Main.java", "IdentityToken.java"], folder)
        return run(
            ["java", "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", "-cp", ".", "Main", *arguments], folder
        )
    (folder / "IdentityToken.cs").write_text(text)
    (folder / "code.csproj").write_text(PROJECT)
    return run(["dotnet", "run", "--", *arguments], folder)


def run(command: list[str], folder: Path) -> str:
    environment = os.environ | {"CHATKIT_SIGNING_SECRET": SECRET, "LC_ALL": "C.UTF-8", "GO111MODULE": "off"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.proof("T7")
@pytest.mark.parametrize("name", CODE)
def test_what_the_ready_code_makes_is_taken(name: str, tmp_path: Path) -> None:
    if shutil.which(PROGRAMS[name]) is None:
        sentence = f"{PROGRAMS[name]} is missing: the ready code for {CODE[name].title} was not run."
        if name in REQUIRED:
            missing(PROGRAMS[name], sentence)
        pytest.skip(sentence)

    tokens = [made_by(name, tmp_path) for _ in range(2)]

    found = [
        verify_identity(
            token,
            keys=[Signer("HS256", secret=SECRET).key()],
            algorithm="HS256",
            audience=TENANT,
            now=time.time(),
            claims=["plan"],
        )
        for token in tokens
    ]
    assert all(isinstance(identity, Identity) for identity in found), found
    assert {identity.subject for identity in found} == {USER}
    assert [dict(identity.variables) for identity in found] == [{"plan": PLAN}] * 2
    assert found[0].jti != found[1].jti
    assert found[0].expires_at - found[0].issued_at == 300


@pytest.mark.parametrize("code", signing_code(), ids=lambda code: code.name)
def test_the_document_shows_the_very_same_code(code) -> None:
    fences = re.findall(rf"^```{code.fence}\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)

    assert code.text in fences


@pytest.mark.parametrize("code", signing_code(), ids=lambda code: code.name)
def test_the_code_reads_the_secret_and_holds_none(code) -> None:
    assert code.text.count("CHATKIT_SIGNING_SECRET") == 1
    assert code.text.count(PLACEHOLDER) == 1
    assert max(map(len, code.text.splitlines())) <= 120


@pytest.mark.django_db
def test_the_page_shows_every_language_with_the_tenant_s_public_id(admin_client) -> None:
    tenant = register()

    page = admin_client.get(reverse("identity-code", args=[tenant.pk])).content.decode()

    assert page.count(tenant.public_id) >= len(CODE)
    assert PLACEHOLDER not in page
    assert [code.title for code in signing_code() if f"<summary>{code.title}</summary>" not in page] == []


def test_the_document_says_which_code_was_run_and_which_was_only_read() -> None:
    told = DOCUMENT.partition("## Ready code")[2].partition("###")[0]
    only_read = told.partition("**")[2].partition(" were not run**")[0]

    titles = {code.title for code in CODE.values() if code.title in only_read}
    assert titles == {"PHP", "Ruby", "Go", "C#"}
    assert [CODE[name].title for name in sorted(REQUIRED) if CODE[name].title not in told] == []
