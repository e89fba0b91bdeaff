import { createServer } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../../src/index.ts";
import { answer, listen } from "../transport/listen.ts";
import {
  authority,
  belowIntermediate,
  early,
  expired,
  good,
  inspected,
  inspector,
  intermediate,
  key,
  otherName,
  selfSigned,
} from "./certificates.ts";
import { healthy, of, patient, wrongIn, type PatientOptions } from "./support.ts";

interface Case {
  readonly cert: string;
  readonly message: RegExp;
  readonly cause: RegExp;
  readonly command?: RegExp;
  readonly settings?: PatientOptions["settings"];
}

const trusting = { tls: { ca: authority } };
const strangers = { tls: {} };

test.each<[string, Case]>([
  [
    "expired",
    {
      cert: expired,
      message: /^its certificate expired \d+ days ago \(2020-02-01\)$/,
      cause: /not renewed it/,
      command: /^openssl s_client -connect registry\.example:443 /,
    },
  ],
  [
    "not valid yet",
    { cert: early, message: /not valid before 2110-01-01/, cause: /clock is behind/, command: /^date -u$/ },
  ],
  [
    "for another name",
    {
      cert: otherName,
      message: /is for other\.example, \*\.other\.example, not for registry\.example$/,
      cause: /misspelt or an alias/,
      command: /^gantry doctor other\.example\/app$/,
    },
  ],
  [
    "self-signed",
    {
      cert: selfSigned,
      message: /self-signed/,
      cause: /nobody vouches/,
      command: /--ca-file FILE registry\.example\/app:1$/,
    },
  ],
  [
    "of an unknown authority that is sent along",
    {
      cert: good + authority,
      message: /not trusted here: Example private authority$/,
      cause: /a private authority/,
      command: /--ca-file/,
      settings: strangers,
    },
  ],
  [
    "of an unknown authority that is not",
    {
      cert: good,
      message: /not trusted here: Example private authority$/,
      cause: /a private authority/,
      settings: strangers,
    },
  ],
  [
    "without the certificate between it and its authority",
    {
      cert: belowIntermediate,
      message: /does not send the certificate of Example intermediate/,
      cause: /whole chain/,
      command: /-showcerts/,
    },
  ],
  [
    "made by a proxy on the way",
    { cert: inspected, message: /made by Zscaler Root CA \(Zscaler Inc\.\)/, cause: /looks into the connection/ },
  ],
  [
    "made by a proxy on the way, with its authority",
    { cert: inspected + inspector, message: /made by Zscaler/, cause: /looks into/ },
  ],
])("a certificate that is %s", async (_, { cert, message, cause, command, settings }) => {
  const { diagnose, log } = await patient(healthy(), { tls: { cert }, settings: settings ?? trusting });
  const told = await diagnose();
  const [wrong, ...others] = wrongIn(told);
  expect(wrong).toMatchObject({ check: "tls", verdict: "fault", code: "NETWORK", host: "registry.example" });
  expect(wrong!.message).toMatch(message);
  expect(wrong!.cause).toMatch(cause);
  if (command) expect(wrong!.command).toMatch(command);
  expect(others).toEqual([]);
  expect(log, "nothing is sent to who cannot prove who it is").toEqual([]);
});

test.each([
  ["with the authority that signed it", good, trusting],
  ["with the whole chain", belowIntermediate + intermediate, trusting],
])("a certificate is fine %s, and its days are counted", async (_, cert, settings) => {
  const { diagnose } = await patient(healthy(), { tls: { cert }, settings });
  const told = await diagnose();
  expect(wrongIn(told)).toEqual([]);
  expect(of(told, "tls")[0]!.message).toMatch(/^TLSv1\.3, certificate of .*, good for \d{5} days$/);
});

test("a certificate that is to expire is a warning", async () => {
  const { diagnose } = await patient(healthy());
  const now = Date.parse("2119-12-28T00:00:00Z");
  const clock = { now: () => now, random: Math.random, sleep: () => Promise.resolve() };
  expect(of(await diagnose(undefined, { clock }), "tls")).toMatchObject([
    {
      verdict: "warning",
      message: expect.stringMatching(/good for 4 days$/) as string,
      cause: expect.stringContaining("2120-01-01") as string,
    },
  ]);
});

test("what is declared insecure is told, and looked at nevertheless", async () => {
  const { diagnose } = await patient(healthy(), { tls: { cert: expired }, settings: { insecure: true } });
  const told = await diagnose();
  expect(wrongIn(told)).toMatchObject([
    { check: "name", verdict: "warning" },
    {
      check: "tls",
      verdict: "warning",
      message: expect.stringContaining("nobody checks it, but its certificate") as string,
    },
  ]);
  expect(of(told, "pull")).toMatchObject([{ verdict: "fine" }]);
});

test("settings that are no certificates are a fault of the settings", async () => {
  const { diagnose } = await patient(healthy(), {
    settings: { tls: { cert: "no certificate", key: "no key" } },
  });
  expect(wrongIn(await diagnose())).toMatchObject([{ check: "tls", verdict: "fault", code: "INVALID" }]);
});

test("the verdict is that of commands", async () => {
  const server = await listen((_, response) => answer(response, 200), createServer({ key, cert: selfSigned }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const client = createClient({ env: { HOME: "/nonexistent" }, retries: 0 });
  onTestFinished(() => client.close());
  await expect(client.open(`${server.url.host}/app:1`).store.head("1")).rejects.toThrow("self-signed");
  const told = await Array.fromAsync(client.diagnose(server.url.host));
  expect(wrongIn(told)).toMatchObject([{ check: "tls", message: expect.stringContaining("self-signed") as string }]);
});
