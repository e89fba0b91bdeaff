import { lifecycleShapes } from "./lifecycle-shapes.ts";
import { planShapes } from "./plan-shapes.ts";
import { promoteShapes } from "./promote-shapes.ts";
import { repositoryShape, serviceShapes } from "./service-shapes.ts";
import { usageShape } from "./usage-shape.ts";

/** What a value in a result is: in words, or a list, or an object; a name with `?` may be missing, `*` stands for any. */
export type Shape = string | readonly [Shape] | { readonly [name: string]: Shape };

const digest = "a digest: sha256:...";
const mediaType = "a media type";
const reference = "the image, as it was named";
const moment = "a time: 2026-11-20T14:05:00Z";

const copied: Shape = {
  images: [
    {
      from: "where it was read",
      to: "where it is now",
      digest,
      mediaType,
      outcome: "copied, unchanged, or kept (for --no-clobber)",
      manifests: "how many were put",
      blobs: { exists: "how many were there already", mounted: "how many were mounted", written: "how many were sent" },
      bytes: "bytes of blobs sent",
      referrers: "how many attached artifacts went along",
      digestTags: "how many sha256-... tags went along",
    },
  ],
  failures: [
    {
      to: "where it should have gone",
      error: {
        code: "one word, such as DENIED",
        message: "what happened",
        "side?": "source or destination",
        "host?": "the registry's host",
        "status?": "the HTTP status",
        "hint?": "the way out",
      },
    },
  ],
  bytes: "bytes of blobs sent, over all",
  ms: "how long it took, in milliseconds",
};

const node = {
  role: "root, child, referrer or tag",
  digest,
  mediaType,
  "artifactType?": "of an artifact, its type",
  "platform?": "os/arch",
  "tag?": "the sha256-... tag that names it",
  "size?": "bytes of the manifest and its blobs; missing where the manifest is",
  "layers?": "how many layers, or files",
};

const fault: Shape = {
  source: "a file or a variable",
  "line?": "from 1 on",
  "column?": "from 1 on",
  message: "what is wrong",
  "hint?": "the way out",
};

/** The JSON of each command's result, by the command's name: what docs/cli shows, and what a test holds the commands to. */
export const shapes: Readonly<Record<string, Shape>> = {
  copy: copied,
  pull: copied,
  push: copied,
  tag: { name: reference, digest, tags: ["a reference with a new tag"] },
  ls: [
    {
      ...repositoryShape,
      "repository?": "of a registry: a repository's name",
      "tags?": "of a registry, with --long: how many tags the repository has",
      "tagged?": ["with --images: a tag of the image"],
      "tag?": "of a repository: a tag",
      "reference?": "registry, repository and tag or digest in one; of all but services",
      "digest?": "with --long, or --images",
      "mediaType?": "with --long",
      "artifactType?": "with --long: of an artifact, its type",
      "size?": "with --long: bytes, of a tag as sizeKind says, else of all platforms, what they share counted once",
      "sizeKind?":
        "what the service counts: manifest, largest child, children, children, shared counted twice, or unexplained",
      "created?": `with --long: ${moment}; who built the image says so`,
      "pushed?": "with --long: when it came to the registry, where the service tells",
      "pulled?": "with --long: when it was last pulled, where the service tells",
      "platforms?": ["with --long: os/arch"],
      "subject?": "with --long: the manifest that it is attached to",
      "children?": [digest],
      "immutable?": "with --long: whether the tag cannot be moved",
      "service?": "with --services: its name, as --provider takes it",
      "title?": "with --services: as people call it",
      "hosts?": ["with --services: a form of its hosts"],
      "abilities?": {
        "*": {
          how: "native (its own API), protocol (the distribution API), client (from what those tell) or impossible",
          "note?": "a limit or condition",
          "instead?": "where it is impossible: what to do instead",
          tested: "against what that was tested",
        },
      },
      "quirks?": ["with --services: in what it differs from others"],
      "usage?": usageShape,
    },
  ],
  ...serviceShapes,
  ...lifecycleShapes,
  ...planShapes,
  ...promoteShapes,
  inspect: {
    name: reference,
    digest,
    mediaType,
    size: "bytes of all of it, what its images share counted once",
    "annotations?": { "*": "its value" },
    images: [
      {
        digest,
        mediaType,
        "artifactType?": "of an artifact, its type",
        size: "bytes of manifest, config and layers",
        "platform?": "os/arch",
        "created?": moment,
        "labels?": { "*": "its value" },
        "user?": "who it runs as",
        "workingDir?": "where it runs",
        "entrypoint?": ["a word"],
        "cmd?": ["a word"],
        "env?": ["NAME=VALUE"],
        "ports?": ["8080/tcp"],
        layers: [{ digest, mediaType, size: "bytes", "createdBy?": "the step that made it" }],
      },
    ],
  },
  tree: { name: reference, ...node, nodes: [{ ...node, nodes: ["the same again"] }] },
  digest: { name: reference, digest, mediaType, size: "bytes of the manifest" },
  doctor: [
    {
      check:
        "what was looked at: machine, files, name, proxy, dns, tcp, tls, api, service, clock, credential, login, pull, push, limit or abilities",
      verdict: "fine, warning, fault or skipped",
      "host?": "the host it is about",
      message: "what was found",
      "code?": "of a fault, one word, such as DENIED",
      "status?": "the HTTP status",
      "cause?": "why that is so, or probably so",
      "command?": "what mends it, or shows more",
      "ability?": "referrers, catalog, ranges, paging, chunks, mount or untag",
      "supported?": "whether the registry has the ability; missing where that is not known",
    },
  ],
  delete: {
    name: reference,
    digest,
    done: "true, or false where it was only shown",
    steps: [
      {
        kind: "tag or manifest",
        reference: "what goes",
        digest,
        "artifactType?": "of an artifact, its type",
        "tags?": ["a tag that goes with the manifest"],
      },
    ],
    kept: ["a tag of the same image that stays"],
  },
  check: {
    name: reference,
    digest,
    manifests: "how many were looked at",
    blobs: "how many were looked at",
    bytes: "bytes of all that",
    findings: [
      {
        path: "where it is in the image: linux/amd64 > layer 2",
        kind: "manifest or blob",
        digest,
        fault: "missing, size, corrupt or unreadable",
        message: "what is wrong",
      },
    ],
    repaired: [digest],
  },
  "artifact attach": {
    name: "the artifact, by its digest",
    subject: "the image it is attached to",
    digest,
    artifactType: "its type",
    files: [{ title: "the file's name", mediaType, digest, size: "bytes" }],
  },
  "artifact get": {
    name: reference,
    files: [
      {
        path: "the file",
        artifact: "the digest of the artifact it is of",
        mediaType,
        digest,
        size: "bytes",
        how: "written, or exists where it was there",
      },
    ],
  },
  "blob put": { repository: "where it is now", digest, size: "bytes", how: "written, or exists where it was there" },
  "config show": [
    {
      key: 'its name: hosts["registry.example"].proxy',
      value: "what counts; a secret is [secret]",
      "origin?": "with --origin",
    },
  ],
  "config validate": {
    files: [{ path: "a file that was read", role: "project, user, system, or named on the command line" }],
    faults: [fault],
    warnings: [fault],
  },
  login: {
    registry: "its host",
    path: "the repositories below it; all, where it is empty",
    "username?": "the user",
    kind: "what is kept: basic (user and password), identity (a token that buys tokens) or bearer",
    checked: "whether the registry has accepted it",
    where: "where it is kept",
  },
  logout: [{ registry: "its host", path: "as it was logged in to", where: "where the login was" }],
  "auth why": {
    name: "registry and repository",
    action: "pull or push",
    sources: [
      { source: "a place of logins", outcome: "nothing, used, failed or not asked", "error?": "why it failed" },
    ],
    "credential?": { kind: "basic, identity or bearer", "origin?": "where it was found", "username?": "the user" },
    "challenge?": {
      scheme: "basic or bearer",
      "realm?": "where tokens are to be had",
      "service?": "the name it goes by",
    },
    "asked?": ["a scope"],
    "granted?": ["a scope; missing where the token does not say"],
    "expires?": moment,
    "status?": "the HTTP status in the end",
    access: "whether it is allowed",
    "refused?": "why not",
  },
  "auth check": {
    registry: "its host",
    kind: "basic, identity or bearer",
    "username?": "the user",
    "origin?": "where it was found",
    needed: "false where the registry lets everybody in, and so says nothing about the login",
  },
  version: { version: "of Gantry", node: "the version of Node.js", os: "linux", architecture: "x64" },
};
