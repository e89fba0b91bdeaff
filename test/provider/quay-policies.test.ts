import { describe, expect, test } from "vitest";
import { userPassword } from "../../src/auth/credential.ts";
import { quay } from "../../src/provider/quay/provider.ts";
import type { Immutability, ServiceRegistry } from "../../src/provider/service.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

const host = "quay-server.example.com";
const repository = `https://${host}/api/v1/repository/org/app`;
const organization = `https://${host}/api/v1/organization/org`;
const pruningPage =
  "https://docs.redhat.com/en/documentation/red_hat_quay/3.15/html/manage_red_hat_quay/creating-repository-policy-api";
const keepingPage =
  "https://docs.redhat.com/en/documentation/red_hat_quay/3/html/red_hat_quay_api_reference/immutability_policy";
const source = "https://github.com/quay/quay/blob/ffba0c70e2d8d522290a4fbbaa704dbf2fc37f34/endpoints/api/";
const uuid = "ce2bdcc0-ced2-4a1a-ac36-78a9c1bed8c7";
const other = "8c03f995-ca6f-4928-b98d-d75ed8c14859";

function connected(...exchanges: readonly Exchange[]): {
  readonly service: Promise<ServiceRegistry>;
  readonly asked: string[];
} {
  const { transport, asked } = recorded(...exchanges);
  const credential = userPassword("$oauthtoken", "O4uthT0ken");
  return { service: quay.connect(serviceContext(host, { transport, credential })), asked };
}

const list = (at: string, kind: string, policies: readonly object[]): Exchange => ({
  page: kind === "autoprunepolicy" ? pruningPage : keepingPage,
  url: `${at}/${kind}/`,
  answer: { policies },
});
const change = (method: "POST" | "PUT" | "DELETE", at: string, sends?: object): Exchange => ({
  page: pruningPage,
  method,
  url: at,
  ...(sends && { sends }),
  status: { POST: 201, PUT: 204, DELETE: 200 }[method],
  ...(method !== "PUT" && { answer: { uuid } }),
});
const switchedOff = (at: string, kind: string): Exchange => ({
  page: `${source}policy.py`,
  url: `${at}/${kind}/`,
  status: 404,
  headers: { "content-type": "text/html" },
  answer: "<!DOCTYPE html><html></html>",
});
const denied = (url: string): Exchange => ({
  page: `${source}../exception.py`,
  url,
  status: 403,
  answer: { detail: "Unauthorized", error_type: "insufficient_scope", title: "insufficient_scope", status: 403 },
});

describe("auto-prune policies", () => {
  const ten = { method: "number_of_tags", value: 10 };
  const week = { method: "creation_date", value: "7d", tagPattern: "^v*", tagPatternMatches: false };
  const seen = (policy: object, number = uuid): object => ({
    tagPattern: null,
    tagPatternMatches: true,
    ...policy,
    uuid: number,
  });

  test("of a repository are read", async () => {
    const { service, asked } = connected(list(repository, "autoprunepolicy", [seen(ten), seen(week, other)]));
    expect(await (await service).lifecycle("org/app")).toEqual({
      dialect: "quay",
      document: { policies: [{ ...ten, tagPatternMatches: true }, week] },
    });
    expect(asked).toHaveLength(1);
  });

  test("are those of the organization where the repository has none", async () => {
    const { service } = connected(
      list(repository, "autoprunepolicy", []),
      list(organization, "autoprunepolicy", [seen(ten)]),
    );
    expect(await (await service).lifecycle("org/app")).toMatchObject({ scope: "organization org" });
    expect(await (await service).lifecycle("org")).toMatchObject({ scope: "organization org" });
  });

  test("are none where neither has any, or the organization's may not be seen", async () => {
    const none = list(repository, "autoprunepolicy", []);
    const empty = connected(none, list(organization, "autoprunepolicy", []));
    expect(await (await empty.service).lifecycle("org/app")).toBeUndefined();
    const hidden = connected(none, denied(`${organization}/autoprunepolicy/`));
    expect(await (await hidden.service).lifecycle("org/app")).toBeUndefined();
  });

  test("are set: what is there stays, what differs is changed before the rest goes", async () => {
    const third = "7726f79c-cbc7-490e-98dd-becdc6fefce7";
    const at = `${repository}/autoprunepolicy/`;
    const wanted = { method: "creation_date", value: "30d" };
    const { service, asked } = connected(
      list(repository, "autoprunepolicy", [seen(ten), seen(week, other), seen({ ...ten, value: 3 }, third)]),
      change("PUT", `${at}${uuid}`, wanted),
      change("DELETE", `${at}${third}`),
    );
    const document = { policies: [wanted, week] };
    expect(await (await service).setLifecycle("org/app", document)).toEqual({ dialect: "quay", document });
    expect(asked.slice(1)).toEqual([`PUT ${at}${uuid}`, `DELETE ${at}${third}`]);
  });

  test("are made where there were none, and not touched where they are right", async () => {
    const at = `${repository}/autoprunepolicy/`;
    const fresh = connected(list(repository, "autoprunepolicy", []), change("POST", at, ten));
    await (await fresh.service).setLifecycle("org/app", { policies: [ten] });
    expect(fresh.asked.at(-1)).toBe(`POST ${at}`);
    const right = connected(list(repository, "autoprunepolicy", [seen(ten)]));
    await (await right.service).setLifecycle("org/app", { policies: [ten] });
    expect(right.asked).toHaveLength(1);
  });

  test("of an organization are set where it is named alone", async () => {
    const at = `${organization}/autoprunepolicy/`;
    const { service } = connected(list(organization, "autoprunepolicy", []), change("POST", at, ten));
    expect(await (await service).setLifecycle("org", { policies: [ten] })).toMatchObject({ scope: "organization org" });
  });

  test("go, all of them", async () => {
    const at = `${repository}/autoprunepolicy/`;
    const { service, asked } = connected(
      list(repository, "autoprunepolicy", [seen(ten), seen(week, other)]),
      change("DELETE", `${at}${uuid}`),
      change("DELETE", `${at}${other}`),
    );
    await (await service).deleteLifecycle("org/app");
    expect(asked.slice(1)).toEqual([`DELETE ${at}${uuid}`, `DELETE ${at}${other}`]);
  });

  test.each([[], null, {}, { policies: "x" }, { policies: [1] }])(
    "%j is refused, and nobody asked",
    async (document) => {
      const { service, asked } = connected();
      await expect((await service).setLifecycle("org/app", document)).rejects.toMatchObject({ code: "INVALID" });
      expect(asked).toEqual([]);
    },
  );

  test("say so where they are switched off", async () => {
    const { service } = connected(switchedOff(repository, "autoprunepolicy"));
    await expect((await service).lifecycle("org/app")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("FEATURE_AUTO_PRUNE"),
    });
  });

  test("with a hostile number are not asked for", async () => {
    const { service, asked } = connected(list(repository, "autoprunepolicy", [{ ...ten, uuid: "../../user/" }]));
    await expect((await service).deleteLifecycle("org/app")).rejects.toMatchObject({ code: "NETWORK" });
    expect(asked).toHaveLength(1);
  });
});

describe("immutability", () => {
  const rule = (tagPattern: string, tagPatternMatches = true): object => ({ uuid, tagPattern, tagPatternMatches });

  test.each<[readonly object[], Immutability]>([
    [[rule(".*")], { tags: "immutable" }],
    [[rule("v1"), rule("^.+$")], { tags: "immutable" }],
    [[rule("v.*"), rule("r.*")], { tags: "mutable", except: ["v.*", "r.*"], patterns: "regex" }],
    [[rule("dev", false)], { tags: "immutable", except: ["dev"], patterns: "regex" }],
  ])("%j is read", async (policies, expected) => {
    const { service } = connected(list(repository, "immutabilitypolicy", policies));
    expect(await (await service).immutability("org/app")).toEqual(expected);
  });

  test("is that of the organization where the repository has none", async () => {
    const none = list(repository, "immutabilitypolicy", []);
    const all = connected(none, list(organization, "immutabilitypolicy", [rule(".*")]));
    expect(await (await all.service).immutability("org/app")).toEqual({ tags: "immutable", scope: "organization org" });
    const neither = connected(none, denied(`${organization}/immutabilitypolicy/`));
    expect(await (await neither.service).immutability("org/app")).toEqual({ tags: "mutable" });
  });

  test("that no one rule can tell is not told wrong", async () => {
    const { service } = connected(list(repository, "immutabilitypolicy", [rule("a"), rule("b", false)]));
    await expect((await service).immutability("org/app")).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test.each<[Immutability, object | undefined]>([
    [{ tags: "immutable" }, { tagPattern: ".*", tagPatternMatches: true }],
    [
      { tags: "mutable", except: ["v.*"] },
      { tagPattern: "v.*", tagPatternMatches: true },
    ],
    [
      { tags: "immutable", except: ["dev"] },
      { tagPattern: "dev", tagPatternMatches: false },
    ],
    [
      { tags: "immutable", except: ["a", "b|c"] },
      { tagPattern: "(?:a)|(?:b|c)", tagPatternMatches: false },
    ],
    [
      { tags: "mutable", except: ["v1.*"], patterns: "wildcard" },
      { tagPattern: String.raw`^v1\..*$`, tagPatternMatches: true },
    ],
  ])("%j is set", async (wanted, sends) => {
    const at = `${repository}/immutabilitypolicy/`;
    const { service, asked } = connected(list(repository, "immutabilitypolicy", []), change("POST", at, sends));
    await (await service).setImmutability("org/app", wanted);
    expect(asked.at(-1)).toBe(`POST ${at}`);
  });

  test("goes when tags shall be mutable", async () => {
    const at = `${repository}/immutabilitypolicy/`;
    const { service, asked } = connected(
      list(repository, "immutabilitypolicy", [rule(".*")]),
      change("DELETE", `${at}${uuid}`),
    );
    await (await service).setImmutability("org/app", { tags: "mutable" });
    expect(asked.at(-1)).toBe(`DELETE ${at}${uuid}`);
  });

  test("says so where it is switched off", async () => {
    const { service } = connected(switchedOff(repository, "immutabilitypolicy"));
    await expect((await service).setImmutability("org/app", { tags: "immutable" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("FEATURE_IMMUTABLE_TAGS"),
    });
  });
});
