/** Configurations that are right, by this reader and by the JSON Schema. */
export const right: Readonly<Record<string, string>> = {
  nothing: "",
  "empty maps": "hosts:\ncredentials:\nkubernetes:\n",
  "every key at the top": `
authFile: auth.json
retries: 0
retryDelay: 1.5s
jobs: 4
limitRate: 20MB
referrers: false
progress: none
quotaReserve: 10
userAgent: acme/1
proxy: http://user:password@proxy.example:3128
connectTimeout: 10
answerTimeout: 10m
idleTimeout: 500ms
maxIdle: 1h
minTls: "1.3"
caFiles: [a.pem, ~/b.pem]
certDir: certs
registriesConf: /etc/containers/registries.conf
shortNames: containers
kubernetes: {enabled: true, kubeconfig: ~/.kube/config, context: a, namespace: b, serviceAccount: c}
trust: ~/work
`,
  hosts: `
hosts:
  "*": {maxIdle: 0}
  registry.example: {insecure: true, plainHttp: false, proxy: none, mirrors: mirror.example/hub, quotaReserve: 1}
  registry.example:5000:
    caFiles: ca.pem
    certFile: cert.pem
    keyFile: key.pem
    minTls: 1.2
    address: 10.0.0.1
    headers: {X-Team: release}
    connectTimeout: 1s
    answerTimeout: 1s
    idleTimeout: 1s
  "[::1]:5000": {}
`,
  credentials: `
credentials:
  a.example: {username: a, password: b}
  a.example/team: {username: a, passwordFile: b}
  b.example:5000: {token: a}
  c.example: {identityToken: a}
  d.example/a/b: {credHelper: pass}
`,
  variables: `
retries: "\${RETRIES}"
referrers: "\${REFERRERS}"
proxy: \${PROXY}
limitRate: \${RATE}
hosts: {a.example: {caFiles: "\${CERTS}/ca.pem", connectTimeout: "\${WAIT}"}}
`,
};

/** And such that are wrong by both. */
export const wrong: Readonly<Record<string, string>> = {
  "no map": "- a",
  "an unknown key": "retrys: 3",
  "an unknown key of a host": "hosts: {a.example: {retries: 3}}",
  "a negative number": "retries: -1",
  "no jobs": "jobs: 0",
  "a number with a fraction": "jobs: 1.5",
  "a list in place of a value": "jobs: [1]",
  "a map in place of a list": "caFiles: {a: b}",
  "neither true nor false": "referrers: sometimes",
  "no time": "retryDelay: soon",
  "no size": "limitRate: much",
  "a stage with nothing in it": "promote: {stages: {prod: {}}}",
  "nobody who may approve": "promote: {stages: {prod: {to: a.example/b, gates: {approval: []}}}}",
  "a program without a word": "promote: {stages: {prod: {to: a.example/b, gates: {commands: {smoke: []}}}}}",
  "no time at all for a gate": "promote: {stages: {prod: {to: a.example/b, gates: {timeout: 0}}}}",
  "no time at all for a gate, with a unit": "promote: {stages: {prod: {to: a.example/b, gates: {timeout: 0.0s}}}}",
  "an unknown word": "progress: loud",
  "an old version": "minTls: 1.0",
  "a proxy that is none": "proxy: socks5://proxy.example",
  "a scheme before a host": "hosts: {'https://a.example': {}}",
  "a login for all hosts": "credentials: {'*': {token: a}}",
  "a login without a user": "credentials: {a.example: {password: a}}",
  "two ways to log in": "credentials: {a.example: {token: a, identityToken: b}}",
  "no way to log in": "credentials: {a.example: {}}",
  "a helper with a path": "credentials: {a.example: {credHelper: /bin/sh}}",
  "no name of a header": "hosts: {a.example: {headers: {'a b': c}}}",
};

/** The variables in them. */
export const variables = { RETRIES: "3", REFERRERS: "true", PROXY: "none", RATE: "1MB", CERTS: "/certs", WAIT: "1s" };
