import { type ColumnOptions, getMetadataArgsStorage } from 'typeorm';

interface Field {
  column: string;
  /** As rows have it. */
  key: string;
  property: string;
  /** Null for a column whose values are taken as the driver has them. */
  transform: Transform | null;
}

interface Transform {
  from(value: unknown): unknown;
  to(value: unknown): unknown;
}

/**
 * Columns of an entity, for SQL of its repository: their list, entities from rows, and values from entities. The entity's decorators say
 * names and transformers, for TypeORM's queries and for these.
 */
export class EntityColumns<Entity extends object> {
  /** `tenant_id, id`: for SELECT, RETURNING and INSERT. */
  readonly list: string;
  /** `$1, $2`, one for each of `list`: for VALUES. */
  readonly parameters: string;

  constructor(
    private readonly make: new () => object,
    private readonly fields: readonly Field[],
    /** Of the entity. */
    private readonly all: readonly Field[],
  ) {
    this.list = fields.map(({ column, key }) => (column === key ? column : `${column} AS ${key}`)).join(', ');
    this.parameters = fields.map((_, i) => `$${i + 1}`).join(', ');
  }

  /** `s.tenant_id, s.id` for the alias `s`. */
  of(alias: string): string {
    return this.fields.map(({ column, key }) => `${alias}.${column}${column === key ? '' : ` AS ${key}`}`).join(', ');
  }

  /** Those of these properties, in this order. */
  only<Name extends keyof Entity & string>(...names: Name[]): EntityColumns<Pick<Entity, Name>> {
    return new EntityColumns<Pick<Entity, Name>>(this.make, this.named(names), this.all);
  }

  /** With these, which TypeORM reads only when it is told to (`select: false`). */
  with(...names: (keyof Entity & string)[]): EntityColumns<Entity> {
    return new EntityColumns<Entity>(this.make, [...this.fields, ...this.named(names)], this.all);
  }

  /** The same where another table of the query has columns of these names: `agent_id AS key_agent_id` for `key_`. */
  prefixed(prefix: string): EntityColumns<Entity> {
    const fields = this.fields.map((field) => ({ ...field, key: prefix + field.column }));
    return new EntityColumns<Entity>(this.make, fields, this.all);
  }

  /** From a row that has these columns, and may have others. */
  toEntity(row: object): Entity {
    const entity = new this.make() as Record<string, unknown>;
    for (const { key, property, transform } of this.fields) {
      const value = (row as Record<string, unknown>)[key];
      entity[property] = transform === null ? value : transform.from(value);
    }
    return entity as Entity;
  }

  /** One for each of `list`. */
  toValues(entity: Entity): unknown[] {
    return this.fields.map(({ property, transform }) => {
      const value = (entity as Record<string, unknown>)[property];
      return transform === null ? value : transform.to(value);
    });
  }

  private named(names: readonly string[]): Field[] {
    return names.map((name) => {
      const field = this.all.find(({ property }) => property === name);
      if (!field) throw new Error(`${this.make.name}.${name} is no column`);
      return field;
    });
  }
}

/** The columns of an entity that TypeORM reads, too, in the order of its properties. */
export function columnsOf<Entity extends object>(entity: new () => Entity): EntityColumns<Entity> {
  const columns = getMetadataArgsStorage().columns.filter(({ target }) => target === entity);
  if (columns.length === 0) throw new Error(`${entity.name} has no columns`);
  const all = columns.map(({ propertyName: property, options }) => {
    const column = options.name ?? property;
    return { column, key: column, property, transform: transformOf(options) };
  });
  const fields = all.filter((_, i) => columns[i]?.options.select !== false);
  return new EntityColumns(entity, fields, all);
}

/** What becomes of `json` is the driver's to say when it is read, and text when it is written. */
const json: Transform = {
  from: (value) => value,
  to: (value) => (value === null ? null : JSON.stringify(value)),
};

function transformOf({ type, transformer }: ColumnOptions): Transform | null {
  const isJson = type === 'json' || type === 'jsonb';
  if (Array.isArray(transformer) || (isJson && transformer)) throw new Error('a column for SQL has one transformer');
  return transformer ?? (isJson ? json : null);
}
