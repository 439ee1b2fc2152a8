import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { usePeopleTexts } from './texts'

const documents = ['identity_card', 'passport', 'travel_permit', 'residence_permit', 'driving_licence'] as const

/** Asks for another authenticator for somebody who has left and stands here in person. */
export function InPerson({ id }: { id: string }) {
  const t = usePeopleTexts()
  const outcome = useOutcome()
  const [open, setOpen] = useState(false)
  const [error, setError] = useState<unknown>()
  const [form] = Form.useForm<Schemas['FormerEnrolmentBody']>()
  const ask = useMutation({
    mutationFn: ({ document, login }: Schemas['FormerEnrolmentBody']) =>
      ok(api.POST('/api/v1/employees/{id}/former-enrolments', { params: { path: { id } }, body: { document, login: login?.trim() || undefined } })),
    onMutate: () => setError(undefined),
    onSuccess: (answer) => {
      outcome(answer)
      setOpen(false)
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('inPerson')}</Button>
      <Modal
        open={open}
        title={t('inPerson')}
        onCancel={() => setOpen(false)}
        okText={t('inPersonAsk')}
        okButtonProps={{ loading: ask.isPending }}
        onOk={() => form.submit()}
        mask={{ closable: false }}
        destroyOnHidden
      >
        <Alert type="info" showIcon title={t('inPersonHint')} style={{ marginBottom: 12 }} />
        <Form form={form} layout="vertical" disabled={ask.isPending} onFinish={(values) => ask.mutate(values)}>
          <Form.Item name="document" label={t('inPersonDocument')} extra={t('inPersonDocumentHint')} rules={[{ required: true, message: t('inPersonDocumentWanted') }]}>
            <Select options={documents.map((value) => ({ value, label: t(value) }))} />
          </Form.Item>
          <Form.Item name="login" label={t('inPersonLogin')} extra={t('inPersonLoginHint')}>
            <Input maxLength={100} autoComplete="off" />
          </Form.Item>
          <ProblemAlert error={error} />
        </Form>
      </Modal>
    </>
  )
}
