import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Action } from "../../../src/server/access.ts";
import { policyOf } from "../../../src/server/access/policy.ts";
import {
  covers,
  formatScopes,
  fromClaims,
  granted,
  parseScopes,
  scopeOf,
  toClaims,
} from "../../../src/server/access/scope.ts";

test.each([
  { scopes: ["repository:app:pull"], means: "repository:app:pull" },
  { scopes: ["repository:a/b/c:push,pull"], means: "repository:a/b/c:pull,push" },
  { scopes: ["repository:app:*"], means: "repository:app:pull,push,delete" },
  { scopes: ["repository:app:pull", "repository:app:delete"], means: "repository:app:pull,delete" },
  { scopes: ["repository:a:pull,push repository:b:pull"], means: "repository:a:pull,push repository:b:pull" },
  { scopes: ["repository(plugin):app:pull"], means: "repository:app:pull" },
  { scopes: ["repository:app:pull,dance"], means: "repository:app:pull" },
  { scopes: ["registry:catalog:*"], means: "registry:catalog:*" },
])("reads $scopes", ({ scopes, means }) => {
  expect(formatScopes(parseScopes(scopes))).toBe(means);
});

const patterns = ["*", "repository:*:*", "repository:*:pull", "repository:a/*:pull", "repository:a*:pull", "*:*:*"];
const names = ["..", "a/../b", "App", "a//b", "/a", "", "a%2fb", "a\u0000", "a:b", "host:5000/a", "?", "a".repeat(256)];
const actions = ["", "dance", "PULL", "pull;push", "pull\n", "__proto__"];
const malformed = ["", " ", "repository", "repository:", "repository:app", "pull", "Repository:app:pull", "user:ann:*"];
const catalogs = ["registry:catalog:pull", "registry:catalog:*,x", "registry:*:*", "registry:other:*"];
test.each([
  ...patterns,
  ...names.map((name) => `repository:${name}:pull`),
  ...actions.map((action) => `repository:app:${action}`),
  ...malformed,
  ...catalogs,
])("asks for nothing: %j", (scope) => {
  expect(parseScopes([scope]).size).toBe(0);
});

test("fifty scopes are read, the rest is left out", () => {
  expect(parseScopes(Array.from({ length: 60 }, (_, i) => `repository:a${i}:pull`)).size).toBe(50);
});

test.each([
  { user: "ann", asked: ["repository:app:pull"], gets: "repository:app:pull" },
  { user: "ann", asked: ["repository:app:push"], gets: "repository:app:push,pull" },
  {
    user: "ann",
    asked: ["repository:app:*", "registry:catalog:*"],
    gets: "repository:app:pull,push,delete registry:catalog:*",
  },
  { user: "ann", asked: ["repository:other:pull,push"], gets: "repository:other:pull" },
  { user: "ann", asked: ["repository:secret:pull,push", "repository:app:delete"], gets: "repository:app:delete" },
  { user: undefined, asked: ["repository:app:pull,push,delete"], gets: "repository:app:pull" },
  { user: undefined, asked: ["repository:app:push"], gets: "repository:app:pull" },
  { user: undefined, asked: ["repository:secret:pull"], gets: "" },
])("$user asks $asked", ({ user, asked, gets }) => {
  const policy = policyOf({
    anonymousPull: true,
    grants: (_, name) => (name === "secret" ? [] : name === "other" ? ["pull"] : ["pull", "push", "delete"]),
  });
  expect(formatScopes(granted(parseScopes(asked), policy, user))).toBe(gets);
});

test.each<{ action: Action; scope: string | undefined }>([
  { action: { verbs: [] }, scope: undefined },
  { action: { verbs: ["catalog"] }, scope: "registry:catalog:*" },
  { action: { repository: "a/b", verbs: ["pull"] }, scope: "repository:a/b:pull" },
  { action: { repository: "a/b", verbs: ["push"] }, scope: "repository:a/b:pull,push" },
  { action: { repository: "a/b", verbs: ["delete"] }, scope: "repository:a/b:pull,delete" },
  { action: { repository: "a", verbs: ["push"], mountFrom: "b" }, scope: "repository:a:pull,push repository:b:pull" },
  { action: { repository: "a", verbs: ["push"], mountFrom: "a" }, scope: "repository:a:pull,push" },
  { action: { repository: "a", verbs: ["push"], mountFrom: 'b",x="' }, scope: "repository:a:pull,push" },
  { action: { repository: 'a",x="', verbs: ["pull"] }, scope: undefined },
])("$action needs $scope", ({ action, scope }) => {
  expect(scopeOf(action)).toBe(scope);
});

const name = fc.stringMatching(/^[a-z0-9]{1,8}(\/[a-z0-9]{1,8}){0,2}$/);
const verbs = fc.subarray(["pull", "push", "delete"] as const, { minLength: 1 });

test("rights come back from claims as they went, and cover just what they say", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, verbs), { maxLength: 5 }), name, (pairs, other) => {
      const rights = parseScopes(pairs.map(([name, verbs]) => `repository:${name}:${verbs.join(",")}`));
      const back = fromClaims(toClaims(rights));
      expect(back).toEqual(rights);
      for (const repository of [other, ...pairs.map(([name]) => name)]) {
        for (const verb of ["pull", "push", "delete"] as const) {
          const said = pairs.some(([name, verbs]) => name === repository && verbs.includes(verb));
          expect(covers(back, repository, verb)).toBe(said);
        }
      }
      expect(covers(back, undefined, "catalog")).toBe(false);
    }),
  );
});
