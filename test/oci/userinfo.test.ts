import { describe, expect, test } from "vitest";
import { maskUserinfo } from "../../src/oci/userinfo.ts";

const digest = `sha256:${"0".repeat(64)}`;

describe("what may be a password", () => {
  test.each([
    ["https://bob:pw@host/a:1", "https://USER:PASSWORD@host/a:1"],
    ["https://token@host/a", "https://USER:PASSWORD@host/a"],
    ["https://bob:p/w@host/a", "https://USER:PASSWORD@host/a"],
    ["https://bob:p@w@host:5000/a", "https://USER:PASSWORD@host:5000/a"],
    ["docker://bob:pw@host/a:1", "docker://USER:PASSWORD@host/a:1"],
    ["oci:https://bob:pw@host/x", "oci:https://USER:PASSWORD@host/x"],
    ["bob:pw@host/a:1", "USER:PASSWORD@host/a:1"],
    ["bob:p/w@host/a", "USER:PASSWORD@host/a"],
    ["bob:123@host/a", "USER:PASSWORD@host/a"],
    [`bob:pw@host/a@${digest}`, `USER:PASSWORD@host/a@${digest}`],
    [`https://bob:pw@host/a:1@${digest}`, `https://USER:PASSWORD@host/a:1@${digest}`],
    ["bob:p\"w's@host/a", "USER:PASSWORD@host/a"],
    ["bob:p w@[::1]:5000/a", "USER:PASSWORD@[::1]:5000/a"],
    ["--mirror=a.example=https://bob:pw@host", "--mirror=a.example=https://USER:PASSWORD@host"],
    ["--mirror=a.example=bob:pw@host", "--mirror=a.example=USER:PASSWORD@host"],
  ])("is masked: %s", (text, shown) => expect(maskUserinfo(text)).toBe(shown));

  test.each([
    `repo@${digest}`,
    `name:tag@${digest}`,
    `host:5000/name:tag@${digest}`,
    `docker://host:5000/name:tag@${digest}`,
    "name:tag@sha256:short",
    "host:5000/name@latest",
    "https://host:5000/name@latest",
    `oci:dir:tag@${digest}`,
    "oci:/tmp/a:b@c",
    "/tmp/a:b@c",
    "name:tag@",
    "bob@example.com",
    "https://host/v2/?account=bob@example.com",
  ])("is nowhere in %s", (text) => expect(maskUserinfo(text)).toBe(text));
});
