import type { Rule } from "./rule.ts";

const look = "curl -i {url}";

/** What answers of `/v2/` mean that no registry gives, whatever the service. */
export const apiRules: readonly Rule[] = [
  {
    text: /No required SSL certificate was sent/i,
    cause: "the server wants a client certificate, and none is set for this host",
  },
  { status: [511], cause: "the network wants you to sign in first, in a browser", command: look },
  {
    status: [200, 203],
    page: true,
    cause: "a web server, or the sign-in page of this network, answers in the registry's place",
    command: look,
  },
  { status: [407], cause: "the proxy wants a login: write it into its URL, http://USER:PASSWORD@HOST:PORT" },
  {
    status: [403],
    page: true,
    cause: "a firewall before the registry refuses this machine, or this client",
    command: look,
  },
  {
    status: [404],
    cause: "no registry answers at this host and port: it is on another port, or below a path",
    command: look,
  },
  { status: [502, 503, 504], cause: "the registry is down or starting: the proxy before it does not reach it" },
  { status: [500], cause: "the registry itself failed: its own log says why" },
  {
    status: [401],
    cause: "a proxy before the registry took the WWW-Authenticate header away, or wants a login of its own",
    command: look,
  },
  {
    status: [200],
    cause: "what answers there is not a registry, or a page that this network puts before it",
    command: look,
  },
];

/** What refusals mean on any service, after the services' own words were not found in them. */
export const refusalRules: readonly Rule[] = [
  {
    text: /Only one auth mechanism allowed/i,
    cause: "a proxy between here and the storage passes logins on that were meant for the registry",
  },
  {
    status: [404],
    text: /NAME_UNKNOWN|repository .*not (?:found|known)|project .*not found/i,
    cause: "the repository does not exist, is spelt otherwise, or is hidden from this account",
    command: "gantry ls {registry}",
  },
  {
    checks: ["pull"],
    status: [404],
    cause: "the tag or digest was never pushed, was deleted, or is spelt otherwise",
    command: "gantry ls {repository}",
  },
  { status: [413], cause: "a proxy before the registry limits what one request may carry: have the limit raised" },
  { status: [429], cause: "a rate limit; who is logged in is often allowed more", command: "gantry login {registry}" },
  { status: [502, 503, 504], cause: "the proxy before the registry does not reach it" },
  { status: [500], cause: "the registry itself failed: its own log says why" },
  { checks: ["push"], status: [405, 501], cause: "the registry, or this repository, is read-only" },
];
