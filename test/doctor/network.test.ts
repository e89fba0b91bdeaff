import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, connect as connectTo, type AddressInfo, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DiagnoseOptions } from "../../src/doctor/context.ts";
import type { Diagnosis } from "../../src/doctor/diagnosis.ts";
import { networkRules } from "../../src/doctor/rules/network.ts";
import { createClient, RegistryError } from "../../src/index.ts";
import type { HostSettings } from "../../src/transport/host-settings.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answer, listen } from "../transport/listen.ts";
import { authority, good, key } from "./certificates.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { healthy, of, patient, wrongIn } from "./support.ts";

/** A server of bytes on a free port of this machine, gone when the test is over. */
async function serve(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): unknown }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** Diagnoses with a client as anybody makes it; `registry.example` is not this machine, and leads to `port`. */
async function look(
  target: string,
  options: DiagnoseOptions = {},
  hosts: Readonly<Record<string, HostSettings>> = {},
): Promise<readonly Diagnosis[]> {
  const client = createClient({ env: { HOME: "/nonexistent" }, hosts });
  onTestFinished(() => client.close());
  return Array.fromAsync(client.diagnose(target, { timeout: 5000, ...options }));
}

const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(`${code}: made up`), { code, syscall: "connect" }));
const found =
  (...addresses: readonly string[]) =>
  (): Promise<{ address: string; family: number }[]> =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
const leading = (port: number): Pick<DiagnoseOptions, "lookup" | "connect"> => ({
  lookup: found("192.0.2.1"),
  connect: () =>
    new Promise((resolve, reject) => {
      const socket = connectTo(port, "127.0.0.1", () => resolve(socket)).once("error", reject);
    }),
});
const never = (): Promise<never> => new Promise(() => {});

const old = { key, cert: good, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;

/** What goes wrong, in the order of the rules: the fault, and a part of its cause. */
const cases: readonly (readonly [cause: string, check: string, told: () => Promise<readonly Diagnosis[]>])[] = [
  ["only the DNS of another network", "dns", () => look("nosuch.invalid/app:1")],
  ["its DNS server does not answer", "dns", () => look("registry.example", { lookup: failing("EAI_AGAIN") })],
  ["nothing listens on that port", "tcp", () => look("127.0.0.1:1/app")],
  [
    "takes the connection and says nothing",
    "tls",
    async () => look("registry.example", { ...leading(await serve(createTcpServer(() => {}))), timeout: 300 }),
  ],
  [
    "is overloaded or waits for something else",
    "api",
    async () => {
      const { diagnose } = await patient(() => undefined);
      return diagnose(undefined, { timeout: 300 });
    },
  ],
  [
    "a firewall drops what is sent there",
    "tcp",
    () => look("registry.example", { lookup: found("192.0.2.1"), connect: never, timeout: 200 }),
  ],
  [
    "no network, no VPN, or no IPv6",
    "tcp",
    () => look("registry.example", { lookup: found("192.0.2.1"), connect: failing("EHOSTUNREACH") }),
  ],
  [
    "a firewall on this machine forbids",
    "tcp",
    () => look("registry.example", { lookup: found("192.0.2.1"), connect: failing("EACCES") }),
  ],
  [
    "speaks plain HTTP on this port",
    "tls",
    async () => {
      const plain = await listen((_, response) => answer(response, 200));
      onTestFinished(() => plain[Symbol.asyncDispose]());
      return look("registry.example", leading(Number(plain.url.port)));
    },
  ],
  [
    "only versions of TLS that are out of use",
    "tls",
    async () => look("registry.example", leading(await serve(createTlsServer(old)))),
  ],
  [
    "wants a client certificate, or shares no cipher",
    "tls",
    async () =>
      look(
        "registry.example",
        leading(
          await serve(createTlsServer({ key, cert: good, ciphers: "TLS_AES_128_CCM_SHA256", minVersion: "TLSv1.3" })),
        ),
      ),
  ],
  [
    "no TLS server, or a firewall ends connections",
    "tls",
    async () =>
      look(
        "registry.example",
        leading(await serve(createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())))),
      ),
  ],
  [
    "speaks no HTTP: the port belongs to something else",
    "api",
    async () => {
      const port = await serve(
        createTlsServer({ key, cert: good }, (socket) =>
          socket.on("error", () => {}).end("220 mail.example ESMTP\r\n"),
        ),
      );
      return look(`localhost:${port}`, {}, { "*": { tls: { ca: authority } } });
    },
  ],
];

test.each(cases)("%s", async (cause, check, told) => {
  const all = await told();
  const wrong = wrongIn(all);
  expect(wrong[0]).toMatchObject({ check, verdict: "fault", cause: expect.stringContaining(cause) as string });
  expect(wrong[0]!.host).toBeDefined();
  expect(wrong).toHaveLength(1);
  const after = all.slice(all.indexOf(wrong[0]!) + 1).filter((one) => one.check !== "credential");
  expect(new Set(after.map(({ verdict }) => verdict))).toEqual(new Set(["skipped"]));
});

test("there is no rule without such a case", () => {
  const unproven = networkRules.filter((rule) => !cases.some(([cause]) => rule.cause.includes(cause)));
  expect(unproven).toEqual([]);
});

describe("DNS", () => {
  test("all addresses are told, and one that cannot be reached is a warning", async () => {
    const { server, diagnose } = await patient(healthy());
    const { connect } = leading(Number(server.url.port));
    const told = await diagnose(undefined, {
      lookup: found("192.0.2.1", "2001:db8::1"),
      connect: (to, signal) => (to.address.includes(":") ? failing("ENETUNREACH")() : connect!(to, signal)),
    });
    expect(of(told, "dns")).toMatchObject([{ verdict: "fine", message: "registry.example is 192.0.2.1, 2001:db8::1" }]);
    expect(of(told, "tcp")).toMatchObject([
      { verdict: "fine", message: expect.stringContaining("192.0.2.1:443") as string },
      {
        verdict: "warning",
        host: "[2001:db8::1]:443",
        cause: expect.stringContaining("every connection tries it") as string,
      },
    ]);
    expect(of(told, "pull")).toMatchObject([{ verdict: "fine" }]);
  });

  test("a name that a filter leads nowhere", async () => {
    const told = await look("registry.example", { lookup: found("0.0.0.0", "::") });
    expect(wrongIn(told)).toMatchObject([
      { check: "dns", verdict: "fault", message: expect.stringContaining("nowhere") as string },
    ]);
  });

  test("a file that names the host before DNS is asked", async () => {
    const hostsFile = join(await temporaryDirectory(), "hosts");
    await writeFile(
      hostsFile,
      "127.0.0.1 localhost\n# 192.0.2.9 registry.example\n192.0.2.7\tother registry.example # mine\n",
    );
    const { diagnose } = await patient(healthy());
    expect(of(await diagnose(undefined, { hostsFile }), "dns")[1]).toMatchObject({
      verdict: "warning",
      message: `line 3 of ${hostsFile} names registry.example`,
    });
  });

  test("a name that only a search domain makes one", async () => {
    const { diagnose } = await patient(healthy());
    const lookup = (name: string): Promise<{ address: string; family: number }[]> =>
      name.endsWith(".") ? failing("ENOTFOUND")() : found("192.0.2.1")();
    expect(of(await diagnose(undefined, { lookup }), "dns")[1]).toMatchObject({
      verdict: "warning",
      message: expect.stringContaining("search domain") as string,
    });
  });

  test("no addresses are no name, and one that never answers is given up in time", async () => {
    expect(wrongIn(await look("registry.example", { lookup: found() }))).toMatchObject([
      { check: "dns", code: "NETWORK" },
    ]);
    expect(wrongIn(await look("registry.example", { lookup: never, timeout: 100 }))).toMatchObject([
      { check: "dns", code: "TIMEOUT", host: "registry.example" },
    ]);
  });
});

test("plain HTTP where it is allowed is a warning on a network, and told of on this machine", async () => {
  const plain = await listen((_, response) => answer(response, 200));
  onTestFinished(() => plain[Symbol.asyncDispose]());
  const local = await look(plain.url.host);
  expect(of(local, "tls")).toMatchObject([
    { verdict: "skipped", message: expect.stringContaining("plain HTTP") as string },
  ]);
  expect(wrongIn(local)).toEqual([]);
});

test("HTTPS on a port that plain HTTP was meant for is found out, and its certificate told of", async () => {
  const server = await listen((_, response) => answer(response, 200), createSecureServer({ key, cert: good }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const told = await look(server.url.host, {}, { [server.url.host]: { plainHttp: true, tls: { ca: authority } } });
  expect(of(told, "tls")).toMatchObject([{ verdict: "fine", message: expect.stringMatching(/^TLSv1\.3/) as string }]);
  expect(of(told, "api")).toMatchObject([{ verdict: "fine" }]);
});

test("an interruption ends it at once, with all that is under way", async () => {
  const stop = new AbortController();
  const told = look("registry.example", {
    lookup: found("192.0.2.1"),
    connect: never,
    signal: stop.signal,
    timeout: 60_000,
  });
  setTimeout(() => stop.abort(), 50);
  await expect(told).rejects.toMatchObject({ code: "ABORTED" });
});

test("who stops listening stops the diagnosis", async () => {
  const client = createClient({ env: { HOME: "/nonexistent" } });
  for await (const { check } of client.diagnose("registry.example", { connect: never, lookup: found("192.0.2.1") })) {
    expect(check).toBe("name");
    break;
  }
  await client.close();
});

test.each(["oci:images:1", "", "UPPER/x", "a b", "http://registry.example", "registry.example:99999"])(
  "%j is no target, and nothing is asked",
  async (target) => {
    const told = await look(target, { lookup: () => Promise.reject(new RegistryError("UNKNOWN", "asked")) });
    expect(told).toMatchObject([{ check: "name", verdict: "fault", code: "INVALID" }]);
    expect(told[0]!.cause).toBeDefined();
  },
);
