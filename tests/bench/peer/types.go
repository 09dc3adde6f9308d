package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "chainlit-operator.dev", Version: "v1alpha1"}

// ChainlitApp has the fields that the peer reads and writes.
type ChainlitApp struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              ChainlitAppSpec   `json:"spec"`
	Status            ChainlitAppStatus `json:"status,omitempty"`
}

type ChainlitAppSpec struct {
	Workload Reference `json:"workload"`
	Route    Reference `json:"route"`
}

// Reference names an object of the same namespace.
type Reference struct {
	Ref struct {
		Name string `json:"name"`
	} `json:"ref"`
}

type ChainlitAppStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	RootPath           string             `json:"rootPath"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type ChainlitAppList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ChainlitApp `json:"items"`
}

func (app *ChainlitApp) copied() ChainlitApp {
	out := *app
	app.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = nil
	for _, condition := range app.Status.Conditions {
		out.Status.Conditions = append(out.Status.Conditions, *condition.DeepCopy())
	}
	return out
}

func (app *ChainlitApp) DeepCopyObject() runtime.Object {
	out := app.copied()
	return &out
}

func (list *ChainlitAppList) DeepCopyObject() runtime.Object {
	out := *list
	out.Items = make([]ChainlitApp, 0, len(list.Items))
	for i := range list.Items {
		out.Items = append(out.Items, list.Items[i].copied())
	}
	return &out
}
