/** What `sspec` alone says: the few commands that a newcomer needs. */
export const WELCOME = `sspec: a language model drafts for itself with sublayers skipped, and decodes
faster with exactly its own output.

  sspec generate --prompt "Once upon a time" --stats
      decode with the bundled model
  sspec search --output profile.json
      find which sublayers to skip
  sspec generate --profile profile.json --prompt "Once upon a time" --show-draft
      decode with them skipped
  sspec eval --profile profile.json
      measure that against plain decoding

Flags have defaults in the environment (SSPEC_MODEL) and in sspec.config.yaml.
sspec --help lists all commands, sspec COMMAND --help their flags.
`;
