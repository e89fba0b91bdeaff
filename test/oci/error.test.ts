import { expect, test } from "vitest";
import { isAbsent, isRegistryError, RegistryError } from "../../src/oci/error.ts";

test("with adds what is not said yet, and keeps what is", () => {
  const cause = new Error("socket closed");
  const first = new RegistryError("NETWORK", "no answer", { host: "host.example", retryable: true });
  const more = first.with({ side: "source", host: "other.example", status: 502, hint: "try again", cause });
  expect(more).toMatchObject({
    code: "NETWORK",
    message: "no answer",
    side: "source",
    host: "host.example",
    status: 502,
    hint: "try again",
    retryable: true,
    cause,
  });
  expect(more.stack).toBe(first.stack);
  expect(more).not.toBe(first);
  expect(first.side).toBeUndefined();
  expect(more.with({ side: "destination", hint: "give up", cause: new Error("another") })).toMatchObject({
    side: "source",
    hint: "try again",
    cause,
  });
});

test("with never makes a failure one to retry", () => {
  expect(new RegistryError("DENIED", "no").with({ retryable: true }).retryable).toBe(false);
});

test("an error without a cause has none", () => {
  expect("cause" in new RegistryError("DENIED", "no")).toBe(false);
  expect("cause" in new RegistryError("DENIED", "no").with({ side: "source" })).toBe(false);
});

test("isRegistryError tells codes apart, and knows errors of another copy of the package", () => {
  const error = new RegistryError("DENIED", "no");
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("RegistryError");
  expect(isRegistryError(error)).toBe(true);
  expect(isRegistryError(error, "DENIED")).toBe(true);
  expect(isRegistryError(error, "UNAUTHORIZED", "DENIED")).toBe(true);
  expect(isRegistryError(error, "UNAUTHORIZED")).toBe(false);
  const foreign = Object.assign(new Error("no"), { name: "RegistryError", code: "DENIED" });
  expect(isRegistryError(foreign, "DENIED")).toBe(true);
  for (const other of [new Error("no"), { name: "RegistryError", code: "DENIED" }, undefined, null, "DENIED"]) {
    expect(isRegistryError(other)).toBe(false);
  }
});

test.each([
  ["BLOB_UNKNOWN", true],
  ["MANIFEST_UNKNOWN", true],
  ["NAME_UNKNOWN", true],
  ["MANIFEST_BLOB_UNKNOWN", false],
  ["BLOB_UPLOAD_UNKNOWN", false],
  ["UNKNOWN", false],
] as const)("isAbsent of %s is %j", (code, answer) => expect(isAbsent(new RegistryError(code, "x"))).toBe(answer));
