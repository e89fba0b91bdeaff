import { expect, test } from "vitest";
import { attachedTypes } from "../../../src/graph/attached-kinds.ts";
import { gatesOf, passGates, type Gate, type Subject } from "../../../src/policy/promote/gate.ts";
import { digest, now } from "./support.ts";

const subject: Subject = {
  reference: `registry.example/app:1.0@${digest("app")}`,
  digest: digest("app"),
  stage: "prod",
  to: "registry.example/prod/app",
  tags: ["1.0"],
  attached: new Set(),
};
const clock = (): Date => now;

test("a gate of a program's own is looked at with the others, and stops commands", async () => {
  const ran: string[] = [];
  const gate = (name: string, passed: boolean): Gate => ({
    name,
    async check({ stage }) {
      ran.push(`${name} of ${stage}`);
      return { gate: name, passed, message: "looked at" };
    },
  });
  const context = {
    now,
    approvals: [],
    more: [gate("scan", false)],
    run: (name: string) => gate(`command ${name}`, true),
  };
  const results = await passGates(gatesOf({ commands: { smoke: ["smoke"] } }, context), subject, { now: clock });
  expect(ran).toEqual(["scan of prod"]);
  expect(results).toEqual([{ gate: "scan", passed: false, message: "looked at", when: "2026-11-20T14:05:00.000Z" }]);
});

test("where nobody runs commands, such a gate does not pass", async () => {
  const results = await passGates(gatesOf({ commands: { smoke: ["smoke"] } }, { now, approvals: [] }), subject, {
    now: clock,
  });
  expect(results).toMatchObject([{ gate: "command smoke", passed: false, message: "nothing here runs commands" }]);
});

test.each([
  [3_600_000, 3_600_000, true, "it was built 1h ago"],
  [3_600_000, 3_599_000, false, "it was built 59m 59s ago, and it has to be 1h"],
  [604_800_000, 90_061_000, false, "it was built 1d 1h ago, and it has to be 7d"],
  [0, 0, true, "it was built 0s ago"],
  [0, -60_000, false, "it was built in the future: 2026-11-20T14:06:00.000Z"],
])("an age of at least %i at %i: %s, as %s", async (age, since, passed, message) => {
  const at = { ...subject, since: { time: now.getTime() - since, what: "it was built" } };
  const results = await passGates(gatesOf({ age }, { now, approvals: [] }), at, { now: clock });
  expect(results).toMatchObject([{ gate: "age", passed, message }]);
});

const bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
const predicate = (type: string): Readonly<Record<string, string>> => ({
  "dev.sigstore.bundle.content": "dsse-envelope",
  "dev.sigstore.bundle.predicateType": type,
});

// cosign's specs/BUNDLE_SPEC.md and specs/SIGNATURE_SPEC.md, Notation's signature specification, image-spec's artifacts.
test.each([
  [{ artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json" }, ["signature"]],
  [{ artifactType: "application/vnd.cncf.notary.signature" }, ["signature"]],
  [{ artifactType: bundle, annotations: { "dev.sigstore.bundle.content": "message-signature" } }, ["signature"]],
  [{ artifactType: bundle, annotations: predicate("https://sigstore.dev/cosign/sign/v1") }, ["signature"]],
  [{ artifactType: bundle, annotations: predicate("https://slsa.dev/provenance/v1") }, ["attestation"]],
  [{ artifactType: bundle, annotations: predicate("https://spdx.dev/Document") }, ["attestation", "sbom"]],
  [{ artifactType: "application/vnd.in-toto+json" }, ["attestation"]],
  [
    {
      artifactType: "application/vnd.in-toto+json",
      annotations: { "in-toto.io/predicate-type": "https://cyclonedx.org/bom" },
    },
    ["attestation", "sbom"],
  ],
  [{ artifactType: "application/spdx+json" }, ["sbom"]],
  [{ artifactType: "application/vnd.cyclonedx+xml" }, ["sbom"]],
  [{ artifactType: "application/vnd.syft+json" }, ["sbom"]],
  [{ artifactType: "application/vnd.example.signature" }, []],
])("%j is %j", (descriptor, kinds) => {
  expect([...attachedTypes([descriptor], [])].filter((type) => type !== descriptor.artifactType)).toEqual(kinds);
});

test("Cosign's tags say by their suffix what they name", () => {
  expect([...attachedTypes([], ["sig", "att", "sbom", "other"])]).toEqual(["signature", "attestation", "sbom"]);
});
