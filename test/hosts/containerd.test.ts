import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readContainerdDirectory } from "../../src/hosts/containerd.ts";
import { parseHostsToml } from "../../src/hosts/hosts-toml.ts";
import { authority, clientCertificate, clientKey } from "../transport/certificates.ts";
import { fault, machine } from "./machine.ts";

test("hosts in their order, with all that they may say, and the server last", async () => {
  const { root } = await machine({
    "d/ca.pem": authority,
    "d/client.pem": clientCertificate,
    "d/client.key": clientKey,
  });
  const { hosts, server } = parseHostsToml(
    `
    server = "https://registry-1.docker.io"
    dial_timeout = "1m1.5s"
    [host."https://z.example/v2/hub"]
    override_path = true
    capabilities = ["pull", "Resolve"]
    ca = "ca.pem"
    client = [["client.pem", "client.key"]]
    [host."https://z.example/v2/hub".header]
    X-Team = "a"
    x-list = ["b", "c"]
    [host."http://a.example:5000/path/"]
    skip_verify = true
    ca = ["${join(root, "d/ca.pem")}"]
    [host."b.example"]
    `,
    join(root, "d"),
  );
  expect(hosts.map(({ base, capabilities, settings }) => [base?.href, capabilities.length, settings])).toEqual([
    [
      "https://z.example/v2/hub/",
      2,
      {
        tls: { ca: [authority], cert: clientCertificate, key: clientKey },
        headers: { "x-team": "a", "x-list": "b, c" },
      },
    ],
    ["http://a.example:5000/path/v2/", 4, { plainHttp: true, tls: { ca: [authority], rejectUnauthorized: false } }],
    ["https://b.example/v2/", 4, {}],
  ]);
  expect(server).toMatchObject({
    base: new URL("https://registry-1.docker.io/v2/"),
    settings: { timeouts: { connect: 61_500 } },
    origin: join(root, "d/hosts.toml"),
  });
  expect(hosts[2]!.origin).toBe(`${join(root, "d/hosts.toml")}: host["b.example"]`);
});

describe("what is not right names the file and the place", () => {
  test.each([
    ["server = ", "/d/hosts.toml is not valid TOML: line 1, column 10: invalid value"],
    [
      'server = "https://"',
      "/d/hosts.toml: the server is not a URL that a path can follow (write https://mirror.example)",
    ],
    [
      '[host."https://u:p@m.example"]',
      "/d/hosts.toml: the URL of a host has a user in it (leave it out: logins come from Docker's and Podman's files)",
    ],
    [
      '[host."m.example"]\ncapabilities = ["fly"]',
      '/d/hosts.toml: host["m.example"].capabilities: "fly" is none (write pull, resolve, push, referrers)',
    ],
    ['dial_timeout = "soon"', '/d/hosts.toml: dial_timeout: "soon" is no time (write 5s)'],
    ['ca = "absent.pem"', "/d/absent.pem is not there: /d/hosts.toml: ca names it"],
    ["ca = 1", "/d/hosts.toml: ca is not a list of texts"],
    ["client = [[1, 2]]", "/d/hosts.toml: client is neither a file nor a list of files or of pairs"],
    ['client = [["a"]]', "/d/hosts.toml: client is neither a file nor a list of files or of pairs"],
    ["skip_verify = 1", "/d/hosts.toml: skip_verify is not true or false"],
    ["[header]\na = 1", "/d/hosts.toml: header.a is not a list of texts"],
    ["host = 1", "/d/hosts.toml: host is not a table"],
  ])("%s", (text, expected) => {
    const message = fault("", () => parseHostsToml(text, "/d"));
    expect(message).toBe(`INVALID: ${expected}`);
  });
});

test("a registry's directory is found by containerd's names, and the rest goes by _default", async () => {
  const toml = (mirror: string): string => `[host."https://${mirror}"]\n`;
  const { root } = await machine({
    "certs.d/a.example_5000_/hosts.toml": toml("underscores.example"),
    "certs.d/a.example:5000/hosts.toml": toml("never.example"),
    "certs.d/b.example:5000/hosts.toml": toml("colon.example"),
    "certs.d/c.example/ca.crt": authority,
    "certs.d/_default/hosts.toml": toml("default.example"),
  });
  const directory = readContainerdDirectory(join(root, "certs.d"));
  const found = (registry: string): string | undefined => directory.find(registry)?.hosts[0]?.base?.host;
  expect(found("a.example:5000")).toBe("underscores.example");
  expect(found("b.example:5000")).toBe("colon.example");
  expect(found("c.example")).toBeUndefined();
  expect(found("d.example")).toBe("default.example");
  expect(directory.told(["c.example"])).toEqual([
    { origin: join(root, "certs.d/c.example"), settings: { tls: { ca: [authority] } } },
  ]);
});

test("what a table says of a host holds wherever the host is met; what is above all tables, for the registry itself", async () => {
  const { root } = await machine({
    "certs.d/docker.io/hosts.toml": 'skip_verify = true\n[host."https://m.example".header]\na = "1"\n',
    "certs.d/moved.example/hosts.toml": 'server = "http://s.example"\n',
  });
  const directory = readContainerdDirectory(join(root, "certs.d"));
  const told = (...names: string[]): unknown => directory.told(names).map(({ settings }) => settings);
  expect(told("docker.io", "registry-1.docker.io")).toEqual([{ tls: { rejectUnauthorized: false } }]);
  expect(told("m.example")).toEqual([{ headers: { a: "1" } }]);
  expect(told("moved.example")).toEqual([]);
  expect(told("s.example")).toEqual([{ plainHttp: true }]);
  expect(readContainerdDirectory(join(root, "absent")).told(["m.example"])).toEqual([]);
});
