import { expect, test } from "vitest";
import type { Credential } from "../../src/auth/credential.ts";
import { remembered } from "../../src/auth/remembered.ts";
import { Secret } from "../../src/auth/secret.ts";
import { instantClock } from "../support/instant-clock.ts";

test("a source is asked once for each place, and again when its login has run out or it has failed", async () => {
  const asked: string[] = [];
  let expires = Infinity;
  const clock = { ...instantClock(), now: () => 1000 };
  const source = remembered(
    {
      name: "fake",
      async find(host, path): Promise<Credential | undefined> {
        asked.push(`${host}/${path}`);
        if (path === "broken") throw new Error("broken");
        return { kind: "bearer", token: new Secret("t"), expires };
      },
    },
    clock,
  );
  await Promise.all([source.find("a", "x"), source.find("a", "x"), source.find("a", "y")]);
  expect(asked).toEqual(["a/x", "a/y"]);
  expires = 999;
  await source.find("b", "x");
  await source.find("b", "x");
  expect(asked.slice(2)).toEqual(["b/x", "b/x"]);
  for (let i = 0; i < 2; i++) await expect(source.find("a", "broken")).rejects.toThrow("broken");
  expect(asked.slice(4)).toEqual(["a/broken", "a/broken"]);
});

test("of all that notice that a login has run out, one asks anew", async () => {
  let now = 0;
  let asked = 0;
  const find = async (): Promise<Credential> => ({
    kind: "bearer",
    token: new Secret(`t${++asked}`),
    expires: now + 1000,
  });
  const source = remembered({ name: "fake", find }, { ...instantClock(), now: () => now });
  await source.find("a", "x");
  now = 1000;
  await Promise.all(Array.from({ length: 5 }, () => source.find("a", "x")));
  expect(asked).toBe(2);
});
