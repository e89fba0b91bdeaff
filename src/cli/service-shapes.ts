import type { Shape } from "./shapes.ts";

const moment = "a time: 2026-11-20T14:05:00Z";
const scope = "what it holds for, where that is more than the repository: project library";

const immutabilityShape = {
  tags: "mutable or immutable",
  "except?": ["a pattern of tags for which the opposite holds"],
  "patterns?": "how those are written: wildcard, doublestar or regex",
  "scope?": scope,
} as const;

/** What services tell of a repository, each something else. */
export const repositoryShape = {
  "created?": moment,
  "updated?": moment,
  "tags?": "how many tags it has",
  "images?": "how many images it has",
  "size?": "bytes, as the service counts them",
  "description?": "what it is",
  "visibility?": "public or private",
  "stars?": "how many like it",
  "pulls?": "how often it was pulled",
  "immutability?": immutabilityShape,
  "state?": "what keeps it, or an image, from being used as usual: locked, archived, deleted",
} as const;

/** The JSON of what commands tell of services. */
export const serviceShapes: Readonly<Record<string, Shape>> = {
  "repo list": [{ repository: "its name", reference: "with the host", ...repositoryShape }],
  "repo info": {
    name: "host and repository",
    service: "the service, as people call it",
    ...repositoryShape,
    "labels?": { "*": "its value" },
    "lifecycle?": { dialect: "whose form the policy has that deletes images by itself", "scope?": scope },
  },
  "repo create": [
    {
      repository: "host and repository",
      outcome: "created, exists or failed",
      "error?": { code: "one word, such as DENIED", message: "what happened" },
    },
  ],
  "repo delete": {
    name: "host and repository",
    done: "true, or false where it was only shown",
    "tags?": "how many tags go with it",
    "images?": "how many images go with it",
    "size?": "bytes, as the service counts them",
    some: ["one of the first tags that go with it"],
    "untagged?": "true where there are images, though no tag is listed",
  },
  "immutability get": { repository: "host and repository", ...immutabilityShape },
  "immutability set": {
    repository: "host and repository",
    before: immutabilityShape,
    done: "true, or false where it was only shown",
    ...immutabilityShape,
  },
  findings: {
    name: "the image, with its tag or digest",
    status: "complete, running, absent (never scanned), unsupported or failed",
    "note?": "what the service says of it",
    "scanner?": "what scanned it",
    "scanned?": moment,
    counts: { "*": "how many; by severity: critical, high, medium, low, negligible, unknown" },
    vulnerabilities: [
      {
        id: "CVE-2026-1",
        severity: "critical, high, medium, low, negligible or unknown",
        "package?": "where it is",
        "installed?": "the version there",
        "fixed?": "the version that it is mended in",
        "title?": "what it is",
        "url?": "where more is to be read",
      },
    ],
  },
  search: [
    {
      name: "as the service has it",
      reference: "as it is pulled",
      "description?": "what it is",
      "stars?": "how many like it",
      "pulls?": "how often it was pulled",
      "official?": "whether it is an official image",
      "automated?": "whether it was built by the service",
    },
  ],
  quota: [
    {
      what: "what is counted",
      unit: "pulls, requests or bytes",
      "limit?": "how many in all",
      "remaining?": "how many are left",
      "used?": "how many are used",
      "windowSeconds?": "for how long the limit holds",
      "resetSeconds?": "in how many seconds it starts anew",
      "source?": "whom it counts",
      "unlimited?": "true where there is no limit",
    },
  ],
  replication: [
    {
      name: "the rule's name",
      "from?": "a registry; this one where missing",
      "to?": "a registry; this one where missing",
      "filter?": "which repositories",
      enabled: "whether it is at work",
      "trigger?": "when that is done",
    },
  ],
};
