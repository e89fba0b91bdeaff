import { expect, test } from "vitest";
import type { Compare } from "../../../src/server/access/bcrypt.ts";
import type { Entries } from "../../../src/server/access/htpasswd.ts";
import { type Login, passwords, type Passwords } from "../../../src/server/access/passwords.ts";

const hashOf = (password: string, cost = "05"): string => `$2b$${cost}$${password.padEnd(53, ".")}`;

/** Passwords over a comparison that counts, waits for `open`, and finds the password in the hash. */
function checked(users: Record<string, string>): {
  check: Passwords;
  compared: { password: string; hash: string }[];
  users: Map<string, string>;
  gate: { wait?: Promise<void> };
  pass: (seconds: number) => void;
} {
  const entries = new Map(Object.entries(users).map(([user, password]) => [user, hashOf(password)]));
  const compared: { password: string; hash: string }[] = [];
  const gate: { wait?: Promise<void> } = {};
  let time = 1_700_000_000_000;
  const compare: Compare = async (password, hash) => {
    compared.push({ password, hash });
    await gate.wait;
    return hash.slice(7) === password.padEnd(53, ".");
  };
  const read = (): Entries => entries;
  const pass = (seconds: number): void => {
    time += seconds * 1000;
  };
  return { check: passwords({ entries: read, compare, now: () => time }), compared, users: entries, gate, pass };
}

const right = (user: string, password: string): Login => ({ ok: true, user, hash: hashOf(password) });

test("right credentials are compared once, then answered at once", async () => {
  const { check, compared } = checked({ ann: "a" });
  expect(await check("ann", "a", "client")).toEqual(right("ann", "a"));
  expect(check("ann", "a", "another client")).toEqual(right("ann", "a"));
  expect(compared).toHaveLength(1);
});

test("the same credentials at the same time are compared once", async () => {
  const { check, compared } = checked({ ann: "a" });
  const logins = await Promise.all(Array.from({ length: 50 }, async () => await check("ann", "a", "client")));
  expect(logins).toEqual(Array.from({ length: 50 }, () => right("ann", "a")));
  expect(compared).toHaveLength(1);
});

test("the same wrong credentials again are not compared, and not counted", async () => {
  const { check, compared, users } = checked({ ann: "a" });
  for (const user of ["ann", "eve"]) {
    for (let i = 0; i < 50; i++) expect(await check(user, "wrong", "client")).toEqual({ ok: false });
  }
  expect(compared).toHaveLength(2);
  expect(await check("ann", "a", "client")).toEqual(right("ann", "a"));
  for (const user of ["ann", "eve"]) {
    users.set(user, hashOf("wrong"));
    expect(await check(user, "wrong", "client")).toEqual(right(user, "wrong"));
  }
});

test("another password, or none, is as good as none", async () => {
  const { check } = checked({ ann: "a" });
  await check("ann", "a", "client");
  for (const password of ["b", "A", "a\0", "", "aa"])
    expect(await check("ann", password, "client")).toEqual({ ok: false });
});

test("a user that is not there costs what a wrong password of the costliest entry costs", async () => {
  const { check, compared, users } = checked({ ann: "a" });
  users.set("bob", hashOf("b", "12"));
  expect(await check("eve", "x", "client")).toEqual({ ok: false });
  expect(compared).toEqual([{ password: "x", hash: expect.stringMatching(/^\$2b\$12\$.{53}$/) }]);
});

test("even who hits the decoy's password is not let in", async () => {
  const { check } = checked({});
  expect(await check("eve", "", "client")).toEqual({ ok: false });
});

test("who is removed or has another password is refused at once", async () => {
  const { check, users } = checked({ ann: "a", bob: "b" });
  await check("ann", "a", "client");
  await check("bob", "b", "client");
  users.delete("ann");
  users.set("bob", hashOf("new"));
  expect(await check("ann", "a", "client")).toEqual({ ok: false });
  expect(await check("bob", "b", "client")).toEqual({ ok: false });
});

test("who is removed while compared is refused", async () => {
  const { check, users, gate } = checked({ ann: "a" });
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.wait = promise;
  const login = check("ann", "a", "client");
  users.delete("ann");
  resolve();
  expect(await login).toEqual({ ok: false });
});

test.each([
  { name: "an empty name", user: "", password: "x" },
  { name: "a colon in the name", user: "a:b", password: "x" },
  { name: "a control character in the name", user: "a\nb", password: "x" },
  { name: "a long password", user: "ann", password: "x".repeat(1025) },
])("$name is refused without a comparison", async ({ user, password }) => {
  const { check, compared } = checked({ ann: "a" });
  expect(await check(user, password, "client")).toEqual({ ok: false });
  expect(compared).toEqual([]);
});

test("failures are limited by client and user; others, and whoever was right before, are not touched", async () => {
  const { check, compared, pass } = checked({ ann: "a", bob: "b" });
  await check("bob", "b", "evil");
  for (let i = 0; i < 10; i++) expect(await check("ann", `wrong ${i}`, "evil")).toEqual({ ok: false });
  const before = compared.length;
  expect(check("ann", "a", "evil"), "even the right one is not looked at").toEqual({ ok: false, wait: 6 });
  expect(compared).toHaveLength(before);
  expect(check("bob", "b", "evil")).toEqual(right("bob", "b"));
  expect(await check("ann", "a", "home")).toEqual(right("ann", "a"));
  pass(6);
  expect(await check("ann", "a", "evil")).toEqual(right("ann", "a"));
});

test("failures with ever other users are limited by client", async () => {
  const { check, compared } = checked({});
  let refused: Login | undefined;
  for (let i = 0; i < 200 && refused === undefined; i++) {
    const login = await check(`user ${i}`, "x", "evil");
    if (!login.ok && login.wait !== undefined) refused = login;
  }
  expect(refused).toEqual({ ok: false, wait: 1 });
  expect(compared).toHaveLength(100);
});

test("many at once get no further than many in a row", async () => {
  const { check, compared } = checked({ ann: "a" });
  await Promise.all(Array.from({ length: 100 }, async (_, i) => await check("ann", `wrong ${i}`, "evil")));
  expect(compared).toHaveLength(10);
});

test("the line of comparisons is bounded", async () => {
  const { check, compared, gate } = checked({ ann: "a" });
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.wait = promise;
  const logins = Array.from({ length: 150 }, async (_, i) => await check("ann", "x".repeat(i + 1), `client ${i}`));
  expect(compared).toHaveLength(100);
  resolve();
  const outcomes = await Promise.all(logins);
  expect(outcomes.filter((login) => !login.ok && login.wait === 10)).toHaveLength(50);
});

test("a comparison that breaks says so, and is tried anew", async () => {
  const { check, gate } = checked({ ann: "a" });
  gate.wait = Promise.reject(new Error("no thread"));
  await expect(check("ann", "a", "client")).rejects.toThrow("no thread");
  delete gate.wait;
  expect(await check("ann", "a", "client")).toEqual(right("ann", "a"));
});
