// Reads which module imports which, with the TypeScript parser.
// The authority on what counts as an import and on whether it exists at run time.
// Must not know any layer or folder of this project: layers.ts has the rules.
import { posix } from 'node:path'
import ts from 'typescript'

/** Source text by path; paths are relative to the repository and use forward slashes. */
export type SourceFiles = ReadonlyMap<string, string>

export interface ModuleImport {
  readonly from: string
  readonly specifier: string
  /** Repository path of the imported file; undefined for packages and for files that do not exist. */
  readonly to: string | undefined
  /** Inside an `export default` expression, where the compiler leaves `.ts` specifiers as they are. */
  readonly inDefaultExport: boolean
  /** `type` imports vanish when types are stripped; `static` and `dynamic` ones are there at run time. */
  readonly kind: 'static' | 'dynamic' | 'type'
  readonly line: number
}

/** Imports, re-exports, `import()` with a literal argument and `import('...')` types of one file. */
export function readImports(path: string, source: string, files: SourceFiles): ModuleImport[] {
  const parsed = parse(path, source)
  const imports: ModuleImport[] = []
  const add = (node: ts.Node, literal: ts.StringLiteralLike, kind: ModuleImport['kind']): void => {
    const specifier = literal.text
    const line = parsed.getLineAndCharacterOfPosition(node.getStart(parsed)).line + 1
    const to = resolveImport(path, specifier, files)
    const inDefaultExport = ts.findAncestor(node, ts.isExportAssignment) !== undefined
    imports.push({ from: path, specifier, to, inDefaultExport, kind, line })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteralLike(node.moduleSpecifier)) {
      // `import { type A } from` still loads the module: only `import type` is erased.
      const isType = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      add(node, node.moduleSpecifier, isType ? 'type' : 'static')
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteralLike(node.moduleSpecifier)
    ) {
      add(node, node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static')
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const argument = node.arguments[0]
      if (argument !== undefined && ts.isStringLiteralLike(argument)) add(node, argument, 'dynamic')
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteralLike(node.argument.literal)
    ) {
      add(node, node.argument.literal, 'type')
    }
    ts.forEachChild(node, visit)
  }
  visit(parsed)
  return imports
}

export function readAllImports(files: SourceFiles): ModuleImport[] {
  return [...files].flatMap(([path, source]) => readImports(path, source, files))
}

/**
 * Packages that must be there for the files to load, by name. Packages behind a dynamic import or
 * named for their types only may be missing, so they are left out.
 */
export function findLoadedPackages(imports: readonly ModuleImport[]): Set<string> {
  const packages = imports
    .filter(({ kind, specifier }) => kind === 'static' && !/^(\.|node:)/.test(specifier))
    .map(({ specifier }) => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1))
  return new Set(packages.map((segments) => segments.join('/')))
}

/** Cycles of imports that exist at run time, as walked (`a.ts > b.ts > a.ts`); none means acyclic. */
export function findImportCycles(imports: readonly ModuleImport[]): string[] {
  const targets = new Map<string, Set<string>>()
  for (const { from, to, kind } of imports) {
    if (to === undefined || kind === 'type') continue
    const known = targets.get(from) ?? new Set<string>()
    targets.set(from, known.add(to))
  }
  const cycles: string[] = []
  const finished = new Set<string>()
  const walked: string[] = []
  const visit = (path: string): void => {
    const start = walked.indexOf(path)
    if (start !== -1) {
      cycles.push([...walked.slice(start), path].join(' > '))
      return
    }
    if (finished.has(path)) return
    walked.push(path)
    for (const target of targets.get(path) ?? []) visit(target)
    walked.pop()
    finished.add(path)
  }
  for (const path of targets.keys()) visit(path)
  return cycles
}

/** True when loading the file runs nothing of ours: types, constants of literals, packages. */
export function holdsOnlyConstantsAndTypes(path: string, source: string): boolean {
  return parse(path, source).statements.every((statement) => {
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) return true
    if (ts.isModuleDeclaration(statement)) {
      return statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) ?? false
    }
    if (ts.isImportDeclaration(statement)) {
      return (
        statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        isPackage(statement.moduleSpecifier)
      )
    }
    if (ts.isExportDeclaration(statement)) {
      return statement.isTypeOnly || statement.moduleSpecifier === undefined
    }
    if (ts.isVariableStatement(statement)) {
      return (
        (statement.declarationList.flags & ts.NodeFlags.Const) !== 0 &&
        statement.declarationList.declarations.every(
          ({ initializer }) => initializer !== undefined && isConstant(initializer),
        )
      )
    }
    return false
  })
}

function isConstant(node: ts.Expression): boolean {
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return isConstant(node.expression)
  if (ts.isParenthesizedExpression(node)) return isConstant(node.expression)
  if (ts.isPrefixUnaryExpression(node)) return isConstant(node.operand)
  if (ts.isBinaryExpression(node)) return isConstant(node.left) && isConstant(node.right)
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isConstant)
  if (ts.isObjectLiteralExpression(node)) {
    return node.properties.every(
      (property) =>
        ts.isShorthandPropertyAssignment(property) ||
        (ts.isPropertyAssignment(property) && isConstant(property.initializer)),
    )
  }
  return (
    ts.isLiteralExpression(node) ||
    ts.isIdentifier(node) ||
    ts.isPropertyAccessExpression(node) ||
    node.kind === ts.SyntaxKind.TrueKeyword ||
    node.kind === ts.SyntaxKind.FalseKeyword ||
    node.kind === ts.SyntaxKind.NullKeyword
  )
}

function isPackage(specifier: ts.Expression): boolean {
  return ts.isStringLiteralLike(specifier) && !specifier.text.startsWith('.')
}

function resolveImport(from: string, specifier: string, files: SourceFiles): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const path = posix.join(posix.dirname(from), specifier)
  return files.has(path) ? path : undefined
}

function parse(path: string, source: string): ts.SourceFile {
  return ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS)
}
