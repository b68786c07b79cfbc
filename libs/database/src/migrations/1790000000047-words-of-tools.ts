import { type MigrationInterface, type QueryRunner } from 'typeorm';

// Spaces, marks, symbols and what is invisible: of ASCII and Latin-1, of other scripts, General Punctuation, currencies, arrows and shapes,
// CJK with its full and half widths, private use, emoji. What is left out is a letter or a digit, or belongs to one.
const SIGNS = [
  String.raw`\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7`,
  String.raw`\u037e\u0387\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u060c\u061b-\u061f\u066a-\u066d\u06d4\u0964\u0965\u1680`,
  String.raw`\u2000-\u206f\u20a0-\u20cf\u2117\u2120\u2122\u2190-\u2bff\u2e00-\u2e7f`,
  String.raw`\u3000-\u3004\u3008-\u3020\u3030\u303d\u30fb\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffe6`,
  String.raw`\ue000-\uf8ff\ufe00-\ufe0f\ufeff\ufff9-\uffff\U0001f000-\U0001faff`,
].join('');

/** Words of tools end at every sign, and lie in the row where a search reads them. */
export class WordsOfTools1790000000047 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(wordsOfText(SIGNS));
    await db.query(searchColumn('MAIN'));
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(wordsOfText(String.raw`\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f`));
    await db.query(searchColumn('EXTENDED'));
  }
}

/** With spaces for these characters, whatever the locale of the database takes for a letter. */
function wordsOfText(signs: string): string {
  return `
      CREATE OR REPLACE FUNCTION words_of_text(p_text text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN btrim(regexp_replace(p_text COLLATE "C", '[${signs}]+', ' ', 'g'));
    `;
}

/**
 * Made anew of each definition. Where a row gets too long for its page, what is `EXTENDED` is put out of line before what is `MAIN`: with these
 * the definition, and not what a search reads of each tool.
 */
function searchColumn(storage: 'MAIN' | 'EXTENDED'): string {
  return `
      ALTER TABLE proxy_tool DROP COLUMN search;
      ALTER TABLE proxy_tool
        ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (tool_search(upstream, name, definition)) STORED,
        ALTER COLUMN search SET STORAGE ${storage}, ALTER COLUMN tenant_id SET STORAGE ${storage},
        ALTER COLUMN upstream SET STORAGE ${storage}, ALTER COLUMN name SET STORAGE ${storage};
    `;
}
