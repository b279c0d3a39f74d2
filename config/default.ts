/** What a gateway runs that was given no configuration: two software HSMs in its data folder, of one machine and so of one failure domain. */
export const DEFAULT_CONFIG = `providers:
  hsm-a: { kind: local-hsm, failureDomain: this-machine }
  hsm-b: { kind: local-hsm, failureDomain: this-machine }

routes:
  - name: default
    place: { holders: all }
`;
