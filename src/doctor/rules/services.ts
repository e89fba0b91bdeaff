import type { Rule } from "./rule.ts";

/** What services say, in their own words, when they refuse: the cause, and what to do about it. */
export const serviceRules: readonly Rule[] = [
  {
    status: [429],
    text: /pull rate limit/i,
    cause: "the pulls of this address, or of this account, are used up for some hours",
    command: "gantry login {registry}",
  },
  {
    status: [429],
    text: /HAP429/,
    cause: "the limit against abuse, which a login does not raise: wait some minutes, with fewer requests at once",
  },
  { status: [429], text: /RESOURCE_EXHAUSTED/, cause: "the quota of the project and region: wait a minute" },
  {
    status: [429],
    page: true,
    cause: "the web server before the registry limits requests by address or login: wait a minute",
  },
  {
    text: /authorization token has expired/i,
    cause: "the login is a token, good for 12 hours: it has to be fetched again",
    command: "aws ecr get-login-password | gantry login --username AWS --password-stdin {registry}",
  },
  {
    status: [400],
    text: /Authorization Token is invalid/i,
    cause: "the saved login is of another registry or has expired; what is public needs none",
    command: "gantry logout {registry}",
  },
  {
    text: /ecr:GetAuthorizationToken|AccessDeniedException/,
    cause: 'the role may not fetch tokens: its policy needs ecr:GetAuthorizationToken on Resource "*"',
  },
  {
    text: /does not exist in the registry with id/i,
    cause: "the repository was not created in this account and region",
    command: "aws ecr create-repository --repository-name REPOSITORY",
  },
  {
    text: /Unauthenticated request/i,
    cause: "no login was sent: the helper is set up for each host by itself",
    command: "gcloud auth configure-docker {registry}",
  },
  {
    text: /Permission "artifactregistry\.[\w.]+" denied/i,
    cause: "the account lacks that role, or the repository, its project or its location is misspelt",
    command: "gcloud artifacts repositories list",
  },
  {
    text: /authentication required, visit https:\/\/aka\.ms\/acr/i,
    cause: "the login expired (they last three hours), or the admin user is off",
    command: "az acr login --name {registry}",
  },
  {
    text: /client with IP .* is not allowed/i,
    cause: "the registry's firewall does not let this address in: no login changes that",
  },
  {
    text: /permission_denied: (?:write|create|delete)_package|installation not allowed/i,
    cause: "the token lacks write:packages, or the package does not let this repository's workflow in",
  },
  {
    text: /permission_denied: read_package/i,
    cause: "the token lacks read:packages, or the package does not let this repository's workflow in",
  },
  {
    text: /HTTP Basic: Access denied/i,
    cause: "with two-factor login the password is refused: a token with read_registry is needed",
    command: "gantry login {registry}",
  },
  {
    text: /exceed the configured upper limit/i,
    cause: "the project's quota is used up; what was deleted counts until the garbage was collected",
  },
  {
    checks: ["login", "pull", "push"],
    status: [401, 403],
    user: /^robot(?:\$|$)/,
    cause: "the robot has expired or is disabled, or a shell ate the $ in its name: write it in single quotes",
    command: "gantry login --username 'robot$NAME' {registry}",
  },
  {
    checks: ["login"],
    status: [401, 403],
    service: /^Harbor$/,
    user: /./,
    cause: "the password is wrong; who comes in through OIDC needs the CLI secret of the profile page in its place",
    command: "gantry login {registry}",
  },
  {
    checks: ["login"],
    status: [401, 403],
    service: /^GitHub/,
    user: /./,
    cause: "the token expired, or is fine-grained: packages take classic tokens with read:packages",
    command: "gantry login {registry}",
  },
];
