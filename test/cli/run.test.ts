import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { allCommands } from "../../src/cli/commands.ts";
import { image, putImage } from "../support/images.ts";
import { gantry, testRegistry } from "./support.ts";

describe("errors", () => {
  test("show no stack, unless asked for", async () => {
    const words = ["digest", "127.0.0.1:1/app:1", "--retries", "0"];
    expect((await gantry(words)).stderr).not.toContain(".ts:");
    expect((await gantry(words, { env: { GANTRY_DEBUG: "1" } })).stderr).toContain(".ts:");
  });

  test.each([
    ["--creds", "alice:topsecret"],
    ["--creds=alice:topsecret"],
    ["--src-creds=alice:topsecret"],
    ["--dest-creds", "alice:topsecret"],
  ])("show no password: %s", async (...creds) => {
    const { stderr, code } = await gantry(["copy", ...creds, "127.0.0.1:1/a:1", "127.0.0.1:1/b:1", "--retries", "0"]);
    expect(code).toBe(1);
    expect(stderr).toContain("USER:PASSWORD");
    expect(stderr).not.toContain("topsecret");
  });

  test.each([
    ["digest", "https://bob:topsecret@host.example/a:1"],
    ["digest", "bob:topsecret@host.example/a:1", "--format", "json"],
    ["digest", 'bob:top"secret@host.example/a:1', "--format=json"],
    ["digest", "ftp://bob:topsecret@host.example/a:1"],
    ["digest", "a", "https://bob:topsecret@host.example/a:1"],
    ["digest", "host.example/a", "--resolve=https://bob:topsecret@host.example"],
    ["copy", "oci:https://bob:topsecret@host.example/a", "oci:/tmp/x"],
    ["ls", "https://bob:topsecret@host.example/"],
    ["doctor", "bob:topsecret@host.example/a"],
    ["login", "https://bob:topsecret@host.example"],
    ["login", "bob:topsecret@host.example"],
    ["bob:topsecret@host.example"],
  ])("show no password before a host: %j", async (...words) => {
    const { stderr, stdout, code } = await gantry(words, { env: { GANTRY_DEBUG: "1" } });
    expect(code).toBeGreaterThan(1);
    expect(stderr).toContain("USER:PASSWORD@host.example");
    expect(stderr + stdout).not.toMatch(/bob|secret/);
  });

  test("say where a login belongs", async () => {
    expect((await gantry(["digest", "https://bob:topsecret@host.example/a:1"])).stderr).toBe(
      'error: invalid reference "https://USER:PASSWORD@host.example/a:1": there is a user in it, at position 1\n' +
        "  hint  leave user and password out, and give them to gantry login host.example\n" +
        "  next  gantry digest --help\n",
    );
    expect((await gantry(["login", "https://bob:topsecret@host.example"])).stderr).toContain(
      "leave user and password out: -u USER --password-stdin",
    );
  });

  test.each([
    ["inspect", "oci-archive:absent.tar", 3, "there is no file /"],
    ["check", "oci:absent:1", 3, "there is no directory /"],
    ["inspect", "./absent.tar", 2, "oci-archive:./absent.tar"],
    ["push", "absent.tar", 2, "it was looked for in /"],
  ])("name the file that is not there: %s %s", async (command, place, exit, hint) => {
    const words = [command, place, ...(command === "push" ? ["127.0.0.1:1/app:1"] : [])];
    const { code, stderr } = await gantry(words);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(hint)]);
  });

  test.each([[["--format", "json"]], [["--format=json"]], [["--format", "ndjson"]]])(
    "are JSON with %j",
    async (format) => {
      const { stderr, stdout } = await gantry(["digest", "UPPER/case", ...format]);
      expect(stdout).toBe("");
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
    },
  );

  test("of usage are JSON too", async () => {
    expect(JSON.parse((await gantry(["digest", "--format", "json"])).stderr)).toMatchObject({
      error: { code: "INVALID", next: "gantry digest --help" },
    });
  });
});

describe("output", () => {
  test.each([
    [["--format", "json"], /^\{\n {2}"name"/],
    [["--format", "ndjson"], /^\{"name".*\}\n$/],
    [["--format", "yaml"], /^name: 127/],
    [["--format", "table"], /^sha256:[0-9a-f]{64}\n$/],
    [["--format", "{{.size}}"], /^\d+\n$/],
  ])("with %j", async (format, expected) => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), image("x"), "1");
    expect((await gantry(["digest", `${host}/app:1`, ...format])).stdout).toMatch(expected);
  });

  test("of a list: an array, a value a line, or a template for each", async () => {
    const { host, store } = await testRegistry();
    for (const tag of ["1", "2"]) await putImage(store("app"), image("x"), tag);
    const ls = async (format: string): Promise<string> =>
      (await gantry(["ls", `${host}/app`, "--format", format])).stdout;
    expect(JSON.parse(await ls("json"))).toEqual([
      { tag: "1", reference: `${host}/app:1` },
      { tag: "2", reference: `${host}/app:2` },
    ]);
    expect(await ls("ndjson")).toBe(
      `{"tag":"1","reference":"${host}/app:1"}\n{"tag":"2","reference":"${host}/app:2"}\n`,
    );
    expect(await ls("{{.tag}}")).toBe("1\n2\n");
    expect(await ls("yaml")).toContain('- tag: "1"');
    const env = { GANTRY_RETRIES: "3" };
    const shown = await gantry(["config", "show", "retries", "--format", "{{.key}}={{.value}}"], { env });
    expect(shown.stdout).toBe("retries=3\n");
  });

  test.each([
    [["digest", "a"], "{{.nope}}", "there is no field .nope", ".name, .digest, .mediaType, .size"],
    [["digest", "a"], "{{json .nope}}", "there is no field .nope", ".name"],
    [["copy", "a", "b"], "{{.digest}}", "there is no field .digest", ".images, .failures"],
    [["copy", "a", "b"], "{{.images.digest}}", ".images is a list", "{{range .images}}{{.digest}}{{end}}"],
    [["copy", "a", "b"], "{{range .images}}{{.nope}}{{end}}", "there is no field .nope", ".digest"],
    [["ls", "a"], "{{.nope}}", "there is no field .nope", ".tag"],
    [["retain", "a", "x"], "{{range .steps}}{{.nope}}{{end}}", "there is no field .nope", ".at"],
  ])("of %j with %s is refused before anything is done", async (words, template, what, hint) => {
    const { code, stdout, stderr } = await gantry([...words, "--format", template]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`error: --format: ${what}`);
    expect(stderr).toContain(hint);
  });

  test("by a template has fields that may be missing, any labels, and items by their number", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), image("x"), "1");
    const shown = async (template: string): Promise<unknown> => {
      const { code, stdout } = await gantry(["inspect", `${host}/app:1`, "--format", template]);
      return { code, stdout };
    };
    expect(await shown("{{.annotations}}[{{range .images}}{{.User}}{{.labels.any}}{{.labels.a.b}}{{end}}]")).toEqual({
      code: 0,
      stdout: "[]\n",
    });
    expect(await shown("{{.images.0.layers.length}}")).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\n$/) });
  });

  test("is coloured on a terminal, and where it is asked for, and not with NO_COLOR", async () => {
    const colored = async (terminal: number | undefined, env: Record<string, string>): Promise<boolean> =>
      (await gantry(["--help"], { env, ...(terminal !== undefined && { terminal }) })).stdout.includes("\u001B[");
    expect(await colored(80, {})).toBe(true);
    expect(await colored(80, { NO_COLOR: "1" })).toBe(false);
    expect(await colored(80, { TERM: "dumb" })).toBe(false);
    expect(await colored(undefined, {})).toBe(false);
    expect(await colored(undefined, { FORCE_COLOR: "1" })).toBe(true);
    expect(await colored(80, { FORCE_COLOR: "0" })).toBe(false);
  });

  test.each([40, 60, 80, 120])(
    "fits a terminal of %d columns, but for commands to copy and words that are longer",
    async (terminal) => {
      for (const words of [["--help"], ...allCommands().map(({ name }) => [...name.split(" "), "--help", "-v"])]) {
        const { stdout } = await gantry(words, { terminal, env: { NO_COLOR: "1" } });
        const long = stdout.split("\n").filter((line) => line.length > terminal && !/^ {2}gantry /.test(line));
        expect(long.filter((line) => /\S\s+\S/.test(line.replace(/^Usage: gantry/, "")))).toEqual([]);
      }
    },
  );

  test("has what an option does below its name where there is no room beside it", async () => {
    const { stdout } = await gantry(["pull", "--help"], { terminal: 40, env: { NO_COLOR: "1" } });
    expect(stdout).toContain(
      `
Usage: gantry pull [options] <reference>
       [path]
`.trimStart(),
    );
    expect(stdout).toContain(`
  --as <kind>
      the format of the files: oci,
      oci-archive, docker-archive or dir
  --platform <platform>
`);
    expect(stdout).toContain(`
  # into the OCI layout ./app, under the
  # tag 1.0
  gantry pull `);
    expect(stdout).toContain(`
  4  authentication failed, or
     permission is missing
`);
  });
});

test.each(["breaks off", "stalls"])("--retries 0 asks once where an answer %s", async (how) => {
  const server = createServer((_, response) => {
    asked++;
    response.writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json", "content-length": 1000 });
    response.write("{");
    if (how === "breaks off") setTimeout(() => response.destroy(), 20);
  });
  let asked = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => server.close().closeAllConnections());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const words = ["manifest", `${host}/app:1`, "--idle-timeout", "200ms", "--retry-delay", "1ms", "--retries"];
  expect((await gantry([...words, "0"])).code).toBe(1);
  expect(asked).toBe(1);
});

test("--verbose writes a line for each request", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("x"), "1");
  expect((await gantry(["digest", "-v", `${host}/app:1`])).stderr).toMatch(
    /^HEAD http:\/\/127\.0\.0\.1:\d+\/v2\/app\/manifests\/1 200 \d+ ms\n$/,
  );
});

test("of two names, the way out is about the one whose host did not answer, though it is no more than a name", async () => {
  const nobody = "registry-1.docker.io:443:127.0.0.1";
  const { code, stderr } = await gantry([
    "copy",
    "alpine",
    "registry.example/a",
    "--resolve",
    nobody,
    "--retries",
    "0",
  ]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("next   gantry doctor docker.io\n")]);
});
