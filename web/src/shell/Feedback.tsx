import { CommentOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Flex, Form, Input, Modal, Radio } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../api/client'
import { texts } from './language'
import { ProblemAlert, showInForm } from './problems'

const useTexts = texts(
  'feedbackForm',
  {
    button: '意见反馈',
    title: '对“{{screen}}”的意见',
    warn: '请不要写姓名、工号、号码或病情。我们会带上页面名称和版本；人事和 IT 能看到内容，看不到是谁写的。',
    kind: '哪一类',
    bad: '遇到问题',
    good: '觉得好用',
    wish: '有建议',
    doing: '您当时在做什么（可不填）',
    text_bad: '哪里不对',
    text_good: '哪里好用',
    text_wish: '您希望怎样',
    send: '发送',
    cancel: '取消',
    sent: '已发送。答复会出现在“意见反馈”里。',
    required: '必填',
  },
  {
    button: 'Feedback',
    title: 'What do you think of “{{screen}}”?',
    warn: 'Please name nobody: no names, employee numbers, telephone numbers or illnesses. The screen and the version are taken along; HR and IT read it without who wrote it.',
    kind: 'What is it',
    bad: 'Something went wrong',
    good: 'Something is good',
    wish: 'A wish',
    doing: 'What were you doing? (may be left out)',
    text_bad: 'What went wrong?',
    text_good: 'What is good?',
    text_wish: 'What do you wish for?',
    send: 'Send',
    cancel: 'Cancel',
    sent: 'Sent. The answer appears under “Feedback”.',
    required: 'Required',
  },
)

type Values = Pick<Schemas['NewFeedback'], 'kind' | 'doing' | 'text'>

/** At the foot of every screen: what somebody thinks of it. What was typed stays until it is sent. */
export function Feedback({ screen, name }: { screen: string; name: string }) {
  const t = useTexts()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const kind = Form.useWatch('kind', form) ?? 'bad'
  const [open, setOpen] = useState(false)
  const send = useMutation({
    mutationFn: (v: Values) => ok(api.POST('/api/v1/feedback', { body: { kind: v.kind, screen, text: v.text, doing: v.doing?.trim() ? v.doing : undefined } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['feedback'] })
      void message.success(t('sent'))
      form.resetFields()
      setOpen(false)
    },
    onError: (error) => showInForm(form, error),
  })
  return (
    <>
      <Button type="text" size="small" icon={<CommentOutlined />} onClick={() => setOpen(true)}>
        {t('button')}
      </Button>
      <Modal open={open} forceRender mask={{ closable: false }} title={t('title', { screen: name })} onCancel={() => setOpen(false)} footer={null}>
        <Form form={form} layout="vertical" initialValues={{ kind: 'bad' }} onFinish={(v: Values) => !send.isPending && send.mutate(v)}>
          <Alert type="info" showIcon title={t('warn')} style={{ marginBlock: 12 }} />
          <Form.Item name="kind" label={t('kind')}>
            <Radio.Group options={(['bad', 'good', 'wish'] as const).map((value) => ({ value, label: t(value) }))} />
          </Form.Item>
          <Form.Item name="doing" label={t('doing')}>
            <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} maxLength={2000} />
          </Form.Item>
          <Form.Item name="text" label={t(`text_${kind}`)} rules={[{ required: true, whitespace: true, message: t('required') }]}>
            <Input.TextArea autoSize={{ minRows: 3, maxRows: 10 }} maxLength={2000} />
          </Form.Item>
          {send.error && <ProblemAlert error={send.error} />}
          <Flex gap={8} justify="end" style={{ marginTop: 12 }}>
            <Button onClick={() => setOpen(false)}>{t('cancel')}</Button>
            <Button type="primary" htmlType="submit" loading={send.isPending}>
              {t('send')}
            </Button>
          </Flex>
        </Form>
      </Modal>
    </>
  )
}
