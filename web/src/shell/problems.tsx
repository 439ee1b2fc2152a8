import { Alert, Button, Space } from 'antd'
import type { FormInstance } from 'antd'

import { fieldOf, isProblem, Refused } from '../api/problem'
import { useShellTexts } from './texts'

/** What went wrong, and what to do now. Nothing that was typed is lost by it. */
export function ProblemAlert({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useShellTexts()
  if (!error) return null
  const again = retry && (
    <Button size="small" onClick={retry}>
      {t('retry')}
    </Button>
  )
  if (!isProblem(error)) {
    return <Alert role="alert" type="warning" showIcon title={t('offline')} description={t('offlineHint')} action={again} />
  }
  const { title, detail, hint, errors } = error.problem
  const said = (errors ?? []).map((e) => e.message).filter((text): text is string => !!text)
  return (
    <Alert
      role="alert"
      type={error.problem.status >= 500 ? 'warning' : 'error'}
      showIcon
      title={title}
      action={again}
      description={
        <Space orientation="vertical" size={2}>
          {detail && detail !== title && <span>{detail}</span>}
          {hint && <span>{hint}</span>}
          {said.length > 0 && (
            <ul style={{ margin: 0, paddingInlineStart: 18 }}>
              {said.map((text, i) => (
                <li key={i}>{text}</li>
              ))}
            </ul>
          )}
        </Space>
      }
    />
  )
}

/** Puts what the API found wrong beside the fields of a form; says whether all of it found its place. */
export function showInForm(form: FormInstance, error: unknown): boolean {
  if (!(error instanceof Refused) || !error.problem.errors?.length) return false
  let all = true
  for (const e of error.problem.errors) {
    const name = fieldOf(e.location)
    if (form.getFieldInstance(name) === undefined && form.getFieldValue(name) === undefined) {
      all = false
      continue
    }
    form.setFields([{ name, errors: [e.message ?? error.problem.title] }])
  }
  return all
}
