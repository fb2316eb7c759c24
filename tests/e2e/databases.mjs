// The database of a run: a file, or a database of its own on the PostgreSQL server of the tests. Which of the two is
// a setting of touban and nothing else; the journey does not know.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * `kind` is sqlite or postgres. Returns { url, texts(), drop() }: what touban is told, everything the database holds as
 * [{ place, bytes }], and its end.
 */
export function makeDatabase(kind, folder) {
  if (kind === 'sqlite') return sqlite(path.join(folder, 'touban.sqlite'));
  if (kind === 'postgres') return postgres();
  throw new Error(`TOUBAN_E2E_DATABASE is "${kind}"; it is sqlite or postgres`);
}

function sqlite(file) {
  const dump = 'import sqlite3, sys\nfor line in sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).iterdump(): print(line)';
  return {
    url: `sqlite:${file}`,
    texts() {
      // The bytes as they lie on the disk, write-ahead log and free pages included; a long text may lie there in
      // pieces, so the rows are searched as well.
      const beside = readdirSync(path.dirname(file)).filter((name) => name.startsWith(path.basename(file)));
      const bytes = beside.map((name) => ({ place: name, bytes: readFileSync(path.join(path.dirname(file), name)) }));
      if (!existsSync(file) || bytes.length === 0) throw new Error(`there is no ${file}`);
      const rows = execFileSync('python3', ['-c', dump, file], { maxBuffer: 256 << 20 });
      return [...bytes, { place: 'the rows of the database', bytes: rows }];
    },
    drop() {},
  };
}

function postgres() {
  const server = process.env.TOUBAN_TEST_POSTGRES_URL;
  if (!server) throw new Error('TOUBAN_TEST_POSTGRES_URL names no server; scripts/test e2e_postgres starts one');
  const name = `touban_e2e_${randomBytes(6).toString('hex')}`;
  const psql = (sql) => execFileSync(client('psql'), ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', server, '-c', sql]);
  psql(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    texts: () => [{ place: 'the rows of the database', bytes: execFileSync(client('pg_dump'), ['-d', url.href], { maxBuffer: 256 << 20 }) }],
    drop: () => psql(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** Debian keeps the programs of each version off the PATH, and its own wrappers come with another package. */
function client(name) {
  const versions = '/usr/lib/postgresql';
  const folders = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  return folders.map((version) => path.join(versions, version, 'bin', name)).find(existsSync) ?? name;
}
