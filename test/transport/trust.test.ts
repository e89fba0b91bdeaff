import { createServer as createSecureServer } from "node:https";
import { describe, expect, test } from "vitest";
import { timeoutsFor } from "../../src/transport/exchange.ts";
import { mergeSettings, settingsByHost } from "../../src/transport/host-settings.ts";
import type { Trust } from "../../src/transport/tls.ts";
import { wire } from "../../src/transport/wire.ts";
import { authority, elsewhereCertificate, serverCertificate, serverKey } from "./certificates.ts";
import { answer, listen, type Listening } from "./listen.ts";
import { ask } from "./support.ts";

const secure = (): Promise<Listening> =>
  listen((_, response) => answer(response, 200, "x"), createSecureServer({ cert: serverCertificate, key: serverKey }));

describe.each([true, false])("whom to trust beside hosts' settings (transient: %s)", (transient) => {
  const statuses = async (trust: Trust, requests = 1): Promise<readonly unknown[]> => {
    await using server = await secure();
    const net = wire({ trust });
    const outcomes = Array.from({ length: requests }, () =>
      net(ask(server.url.href, "GET", { transient })).then(
        ({ status }) => status,
        (error: Error) => error.message.replace(/^\S+ /, ""),
      ),
    );
    const found = await Promise.all(outcomes);
    net.close();
    return found;
  };
  const refused = "has a TLS certificate from an authority that is not trusted here";

  test("without more, nobody vouches for a private authority's certificates", async () => {
    expect(await statuses({})).toEqual([refused]);
  });

  test("other roots take the place of Node's, and more stand beside them", async () => {
    expect(await statuses({ roots: () => [authority] })).toEqual([200]);
    expect(await statuses({ roots: () => [elsewhereCertificate] })).toEqual([refused]);
    expect(await statuses({ more: () => [authority] })).toEqual([200]);
    expect(await statuses({ roots: () => [elsewhereCertificate], more: () => [authority] })).toEqual([200]);
  });

  test("spare ones are read once, when the others did not do", async () => {
    let reads = 0;
    const spare = (): readonly string[] => {
      reads++;
      return [authority];
    };
    expect(await statuses({ more: () => [authority], spare })).toEqual([200]);
    expect(reads).toBe(0);
    expect(await statuses({ spare })).toEqual([200]);
    expect(reads).toBe(1);
    expect(await statuses({ spare: () => [elsewhereCertificate] })).toEqual([refused]);
  });

  test("requests that fail together are all sent again", async () => {
    expect(await statuses({ spare: () => [authority] }, 4)).toEqual([200, 200, 200, 200]);
  });
});

test("a host whose own settings bring certificates gets the spare authorities too", async () => {
  await using server = await secure();
  const settingsOf = settingsByHost({ [server.url.host]: { tls: { ca: elsewhereCertificate } } });
  const net = wire({ settingsOf, trust: { spare: () => [authority] } });
  expect(await net(ask(server.url.href))).toMatchObject({ status: 200 });
  net.close();
});

test("a brief request waits less, and never for ever", () => {
  const timeouts = { connect: 30_000, answer: 0, idle: 60_000 };
  expect(timeoutsFor({}, timeouts)).toBe(timeouts);
  expect(timeoutsFor({ brief: true }, timeouts)).toEqual({ connect: 3000, answer: 10_000, idle: 60_000 });
  expect(timeoutsFor({ brief: true }, { connect: 100, answer: 200, idle: 1 })).toEqual({
    connect: 100,
    answer: 200,
    idle: 1,
  });
});

describe("settings of two places", () => {
  test("authorities of both are trusted", () => {
    expect(mergeSettings({ tls: { ca: "a" } }, { tls: { ca: ["b", "a"] } })).toEqual({ tls: { ca: ["a", "b"] } });
  });

  test("a certificate keeps its own key", () => {
    const then = { tls: { cert: "then", key: "then's" } };
    expect(mergeSettings({ tls: { cert: "first" } }, then)).toEqual({ tls: { cert: "first" } });
    expect(mergeSettings({ tls: { ca: "a" } }, then)).toEqual({ tls: { ca: ["a"], ...then.tls } });
    expect(mergeSettings({}, then)).toEqual(then);
  });
});
