import { join } from "node:path";
import { expect, test } from "vitest";
import { configuredHosts, configuredKubernetes } from "../../src/cli/configured.ts";
import { loadConfig } from "../../src/config/load.ts";
import { settingsByHost, type HostSettings, type SettingsOf } from "../../src/index.ts";
import { machine, put } from "../config/support.ts";
import { authority, clientCertificate, clientKey, serverCertificate, serverKey } from "../transport/certificates.ts";

const pems = {
  a: authority,
  b: `a comment\n${serverCertificate}\n`,
  c: clientCertificate,
  key: clientKey,
  other: serverKey,
  empty: "",
};

/** The settings of hosts, under what a command line says of them. */
async function configured(
  user: string,
  asked: Readonly<Record<string, HostSettings>> = {},
  ca: readonly string[] = [],
): Promise<Readonly<Record<string, HostSettings>>> {
  const made = await machine({ user });
  for (const [name, text] of Object.entries(pems)) await put(join(made.home, ".config", "gantry", `${name}.pem`), text);
  const config = await loadConfig(made);
  return configuredHosts(config, { hosts: new Map(Object.entries(asked)), ca });
}

/** What a client does with them. */
async function reached(...said: Parameters<typeof configured>): Promise<SettingsOf> {
  return settingsByHost(await configured(...said));
}

test("every key of a host becomes a setting of it", async () => {
  const of = await reached(`
hosts:
  a.example:
    insecure: true
    plainHttp: false
    caFiles: [a.pem, b.pem]
    certFile: c.pem
    keyFile: key.pem
    minTls: 1.3
    proxy: none
    address: "[::1]"
    headers: {X-A: a}
    connectTimeout: 1s
    answerTimeout: 2s
    idleTimeout: 3s
    maxIdle: 4s
    mirrors: [m.example/x]
    quotaReserve: 5
`);
  expect(of("a.example")).toEqual({
    insecure: true,
    plainHttp: false,
    tls: { ca: [pems.a, pems.b], cert: pems.c, key: pems.key, minVersion: "TLSv1.3" },
    proxy: false,
    address: "::1",
    headers: { "x-a": "a" },
    timeouts: { connect: 1000, answer: 2000, idle: 3000 },
    maxIdle: 4000,
    mirrors: ["m.example/x"],
    quotaReserve: 5,
  });
  expect(of("other.example")).toEqual({});
});

test("the keys at the top hold for all hosts, under what * says, under what a host's own say; authorities add up", async () => {
  const of = await reached(
    `
minTls: 1.3
proxy: http://top.example
connectTimeout: 1s
idleTimeout: 1s
quotaReserve: 1
hosts:
  "*": {proxy: http://all.example, idleTimeout: 2s, caFiles: b.pem}
  a.example: {idleTimeout: 3s, caFiles: c.pem}
`,
    {},
    ["flag"],
  );
  expect(of("other.example")).toEqual({
    tls: { minVersion: "TLSv1.3", ca: ["flag", pems.b] },
    proxy: "http://all.example",
    timeouts: { connect: 1000, idle: 2000 },
    quotaReserve: 1,
  });
  expect(of("a.example")).toEqual({
    ...of("other.example"),
    tls: { minVersion: "TLSv1.3", ca: ["flag", pems.b, pems.c] },
    timeouts: { connect: 1000, idle: 3000 },
  });
});

test("a command line counts more, for the host and for all", async () => {
  const user = "hosts: {a.example: {insecure: true, proxy: none}, '*': {plainHttp: true}}";
  const of = await reached(user, { "a.example": { insecure: false }, "*": { proxy: "http://flag.example" } });
  expect(of("a.example")).toEqual({ insecure: false, proxy: "http://flag.example", plainHttp: true });
  expect(of("other.example")).toEqual({ proxy: "http://flag.example", plainHttp: true });
});

test("a host counts under the name that it has in URLs", async () => {
  const of = await reached("hosts: {docker.io: {quotaReserve: 3}}");
  expect(of("registry-1.docker.io")).toEqual({ quotaReserve: 3 });
});

test("all that is said of one host by several names is said of it, and a command line counts more", async () => {
  const user = "hosts: {docker.io: {quotaReserve: 3}, index.docker.io: {quotaReserve: 4, address: 192.0.2.1}}";
  const hub = "registry-1.docker.io";
  expect((await reached(user))(hub)).toEqual({ quotaReserve: 3, address: "192.0.2.1" });
  const hosts = await configured(user, { [hub]: { insecure: true } });
  expect(Object.keys(hosts).toSorted()).toEqual(["*", hub]);
  expect(hosts[hub]).toEqual({ insecure: true, quotaReserve: 3, address: "192.0.2.1" });
});

test("a certificate that cannot be read is the trouble of its own host, told with its place", async () => {
  const of = await reached("hosts:\n  a.example:\n    caFiles: [a.pem, none.pem]\n  b.example: {caFiles: b.pem}\n");
  expect(of("b.example")).toEqual({ tls: { ca: [pems.b] } });
  expect(() => of("a.example")).toThrow(
    expect.objectContaining({
      code: "INVALID",
      message: expect.stringMatching(
        /cannot read .*none\.pem \(.*config\.yaml:3: hosts\["a\.example"\]\.caFiles\): there is no such file/,
      ),
    }),
  );
});

test("Kubernetes' API is asked only where the configuration says so", async () => {
  const of = async (user: string): Promise<unknown> => configuredKubernetes(await loadConfig(await machine({ user })));
  expect(await of("")).toEqual({});
  expect(await of("kubernetes: {registry: a.example, namespace: x}")).toEqual({
    kubernetes: { registry: "a.example" },
  });
  expect(await of("kubernetes: {enabled: true, namespace: x, serviceAccount: y}")).toEqual({
    kubernetes: { pullSecrets: { namespace: "x", serviceAccount: "y" } },
  });
});

test.each([
  ["caFiles: empty.pem", /empty\.pem \(.*config\.yaml:1: .*\.caFiles\): there is no certificate in it$/],
  ["caFiles: [a.pem, key.pem]", /key\.pem \(.*\.caFiles\): there is no certificate in it$/],
  ["certFile: key.pem", /key\.pem \(.*\.certFile\): there is no certificate in it$/],
  ["certFile: c.pem", /c\.pem \(.*\.certFile\): there is no private key in it$/],
  ["certFile: c.pem, keyFile: other.pem", /the key in .*other\.pem \(.*\.keyFile\) is not that of .*c\.pem/],
  ["keyFile: key.pem", /config\.yaml:1: hosts\["a\.example"\]\.keyFile: there is no certFile beside it$/],
])("%s is refused with its place", async (keys, message) => {
  const of = await reached(`hosts: {a.example: {${keys}}}`);
  expect(() => of("a.example")).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.stringMatching(message) }),
  );
});
