/** Files that the projects publish as examples; placeholders for secrets are filled in. */

/** https://github.com/containers/skopeo/blob/main/docs/skopeo-sync.1.md, "YAML file content" */
export const skopeo = `registry.example.com:
    images:
        busybox: []
        redis:
            - "1.0"
            - "2.0"
            - "sha256:0000000000000000000000000000000011111111111111111111111111111111"
    images-by-tag-regex:
        nginx: ^1\\.13\\.[12]-alpine-perl$
    images-by-semver:
        alpine: ">= 3.12.0"
    credentials:
        username: john
        password: this is a secret
    tls-verify: true
    cert-dir: /home/john/certs
quay.io:
    tls-verify: false
    images:
        coreos/etcd:
            - latest
`;

/** https://github.com/regclient/regclient/blob/725072f65f14ab63d6b220246c3a889dcd5e2f5f/cmd/regsync/testdata/config1.yml */
export const regsync = `version: 1
creds:
  - registry: registry:5000
    tls: disabled
  - registry: docker.io
defaults:
  ratelimit:
    min: 100
    retry: 15m
  parallel: 2
  interval: 60m
  backup: "bkup-{{.Ref.Tag}}"
  cacheCount: 500
  cacheTime: "5m"
x-sync-hub: &sync-hub
  target: registry:5000/hub/{{ .Sync.Source }}
  type: image
x-sync-gcr: &sync-gcr
  target: registry:5000/gcr/{{ index (split .Sync.Source "gcr.io/") 1 }}
sync:
  - source: busybox:latest
    target: registry:5000/library/busybox:latest
    type: image
    schedule: "15 3 * * *"
  - <<: *sync-hub
    source: alpine
    type: repository
    tags:
      allow:
      - 3
      - 3.9
      - latest
  - <<: *sync-gcr
    source: gcr.io/example/repo
    type: repository
    tags:
      allow:
      - 3
      - 3.9
      - latest
`;

/** https://github.com/xelalexv/dregsy/blob/e92e79a50145213c3885afd2a2fef4f54e9adb3b/README.md, "Configuration" */
export const dregsy = `relay: skopeo
watch: true
skopeo:
  binary: skopeo
  certs-dir: /etc/skopeo/certs.d
lister:
  maxItems: 100
  cacheDuration: 1h
tasks:
  - name: task1
    interval: 60
    verbose: true
    source:
      registry: source-registry.acme.com
      auth: eyJ1c2VybmFtZSI6ICJhbGV4IiwgInBhc3N3b3JkIjogInNlY3JldCJ9Cg==
    target:
      registry: dest-registry.acme.com
      auth: eyJ1c2VybmFtZSI6ICJhbGV4IiwgInBhc3N3b3JkIjogImFsc29zZWNyZXQifQo=
      skip-tls-verify: true
    mappings:
      - from: test/image
        to: archive/test/image
        tags: ['0.1.0', '0.1.1']
      - from: test/another-image
        platform: linux/arm64/v8
`;

/** https://github.com/AliyunContainerService/image-syncer/blob/c6f20faf0358a7057ee34504e25e75d03dbf71fd/examples/images.yaml */
export const imageSyncer = `quay.io/coreos/kube-rbac-proxy: quay.io/ruohe/kube-rbac-proxy
quay.io/coreos/kube-rbac-proxy:v1.0: quay.io/ruohe/kube-rbac-proxy
quay.io/coreos/kube-rbac-proxy:v1.0,v2.0: quay.io/ruohe/kube-rbac-proxy
quay.io/coreos/kube-rbac-proxy@sha256:14b267eb38aa85fd12d0e168fffa2d8a6187ac53a14a0212b0d4fce8d729598c: quay.io/ruohe/kube-rbac-proxy
quay.io/coreos/kube-rbac-proxy:v1.1:
  - quay.io/ruohe/kube-rbac-proxy1
  - quay.io/ruohe/kube-rbac-proxy2
quay.io/coreos/kube-rbac-proxy:/a+/: quay.io/ruohe/kube-rbac-proxy
`;

/** The same project's examples/auth.json and examples/config.json, shortened. */
export const imageSyncerLogins = `{"quay.io": {"username": "xxx", "password": "xxxxxxxxx", "insecure": true}}`;
export const imageSyncerOld = `{
  "auth": {"quay.io/coreos": {"username": "abc", "password": "xxxxxxxxx", "insecure": true}},
  "images": {"quay.io/coreos/kube-rbac-proxy:v1.0,v2.0": "quay.io/ruohe/kube-rbac-proxy"}
}`;
